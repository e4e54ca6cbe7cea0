"""What people have reported of other projects of this field and of our libraries, rebuilt small.

Each test names its report (`owner/name#n` is https://github.com/owner/name/issues/n), makes the input on
the spot, and asks for the right result or for one sentence that names the file: no traceback, and no
wrong image with status 0. Further reports are named where their rooms are tested. All of them:

    grep -rhoE '[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+#[0-9]+' tests --include='*.py' | sort -u
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from repro import remove_torn_list
from stages import preflight
from tests.conftest import ROOT
from tests.examiner import PARAMS
from tests.serving.test_translate import noise, saved
from thermochroma.base.cells import csv_table
from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file, write_text
from thermochroma.base.images import Tone, read_thermal, read_visible, size_of, write_image
from thermochroma.export.artifact import load_translator, save_translator
from thermochroma.pretrained.authors_checkpoints import Entry, entries_of, read_checkpoint
from thermochroma.serving.cli import main
from thermochroma.serving.verify import verify

CORNER = np.zeros((12, 20), np.uint8)
CORNER[:4, :6] = 250  # lies at the left above, and nowhere else
ENTRIES = [Entry("a.kernel", (16,), "a", "")]


def translated(translator: Path, *given: object) -> str:
    """What the command line says at its end: "" where all went well."""
    try:
        main(["translate", str(translator), *map(str, given)])
    except SystemExit as end:
        return str(end.code)
    return ""


@pytest.fixture(scope="module")
def cyclegan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A translator with fresh weights."""
    return saved("cyclegan", tmp_path_factory.mktemp("translator") / "t.safetensors")


# Images painted by `translate`


def test_images_are_not_black_where_a_training_has_exploded(cyclegan: Path, tmp_path: Path) -> None:
    """FuyaLuo/PearlGAN#5, rinongal/StyleGAN-nada#35: NaN in the weights, and every test image is black."""
    network, metadata = load_translator(cyclegan)
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    save_translator(network, tmp_path / "nan.safetensors", metadata)
    write_image(tmp_path / "a.png", noise(16, 16))
    said = translated(tmp_path / "nan.safetensors", tmp_path / "a.png", "--to", tmp_path / "out")
    assert "no numbers (NaN or infinite)" in said
    assert not (tmp_path / "out").exists()


def test_an_image_keeps_its_size(cyclegan: Path, tmp_path: Path) -> None:
    """XunpengYi/Text-IF#15: images of RoadScene came back as 320 by 576 pixels instead of 331 by 585."""
    write_image(tmp_path / "a.png", noise(33, 58))
    assert translated(cyclegan, tmp_path / "a.png", "--to", tmp_path / "out") == ""
    assert read_visible(tmp_path / "out/a.png").shape == (33, 58, 3)


def test_a_u_net_takes_any_size(tmp_path: Path) -> None:
    """junyanz/pytorch-CycleGAN-and-pix2pix#1142: "Sizes of tensors must match" but for multiples of 256."""
    unet = saved("pix2pix", tmp_path / "t.safetensors")
    write_image(tmp_path / "a.png", noise(70, 110))
    assert translated(unet, tmp_path / "a.png", "--to", tmp_path / "out") == ""
    assert read_visible(tmp_path / "out/a.png").shape == (70, 110, 3)


def test_an_image_of_one_pixel_is_no_traceback(cyclegan: Path, tmp_path: Path) -> None:
    """pytorch/pytorch#45687: instance norm raises where one value is left in each channel."""
    write_image(tmp_path / "a.png", noise(1, 1))
    assert translated(cyclegan, tmp_path / "a.png", "--to", tmp_path / "out") == ""
    assert read_visible(tmp_path / "out/a.png").shape == (1, 1, 3)


@pytest.mark.parametrize("folder", ["in", "."])
def test_what_is_translated_is_never_written_over(
    folder: str, cyclegan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CompVis/depth-fm#12, simongraham/hovernet_inference#8: outputs replaced the user's own images."""
    monkeypatch.chdir(tmp_path)
    write_image(Path(folder) / "a.png", noise(16, 16))
    before = (Path(folder) / "a.png").read_bytes()
    said = translated(cyclegan, Path(folder) / "a.png", "--to", folder)
    assert "would be overwritten by its translation" in said
    assert (Path(folder) / "a.png").read_bytes() == before


def test_one_damaged_image_does_not_end_the_others(cyclegan: Path, tmp_path: Path) -> None:
    """microsoft/Biodiversity#575: one image of a batch was damaged, and none was worked on."""
    for name in ("a", "b", "c"):
        write_image(tmp_path / f"in/{name}.png", noise(16, 16))
    whole = (tmp_path / "in/b.png").read_bytes()
    (tmp_path / "in/b.png").write_bytes(whole[: len(whole) // 2])
    said = translated(cyclegan, tmp_path / "in", "--to", tmp_path / "out")
    assert "1 of 3 images" in said and "b.png cannot be read" in said
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "c.png"}


def test_a_name_in_another_script_is_read(cyclegan: Path, tmp_path: Path) -> None:
    """deepfakes/faceswap#734: OpenCV gave None for a path with Chinese letters, and nobody looked."""
    write_image(tmp_path / "红外 ø/热像.png", noise(16, 16))
    assert translated(cyclegan, tmp_path / "红外 ø", "--to", tmp_path / "彩色") == ""
    assert read_visible(tmp_path / "彩色/热像.png").shape == (16, 16, 3)


# What image files say beyond their pixels


def test_16_bits_are_never_cut_to_white(tmp_path: Path) -> None:
    """python-pillow/Pillow#3011: converted to 8 bits, a grey ramp of 16 bits was white."""
    ramp = (np.arange(64, dtype=np.uint16) * 1000).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    with pytest.raises(BadInput, match="more than 8 bits"):
        read_thermal(tmp_path / "a.png")
    image = read_thermal(tmp_path / "a.png", Tone("window", 0, 63000))
    assert len(np.unique(image)) == 64
    assert (image.min(), image.max()) == (0, 255)


def test_further_pages_are_not_passed_over(tmp_path: Path) -> None:
    """UB-Mannheim/tesseract#12: of a TIFF with several pages the first alone was read, without a word."""
    pages = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 200)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(BadInput, match=r"a\.tif has 2 pages"):
        read_thermal(tmp_path / "a.tif")
    assert read_thermal(tmp_path / "a.tif", page=2)[0, 0] == 200


def test_white_as_zero_is_turned_round(tmp_path: Path) -> None:
    """darktable-org/darktable#18815, python-pillow/Pillow#5655: such a TIFF was shown as its negative."""
    Image.fromarray(CORNER).save(tmp_path / "a.tif", tiffinfo={262: 0})
    assert (255 - CORNER).tobytes() in (tmp_path / "a.tif").read_bytes(), (
        "it is stored as a negative"
    )
    assert np.array_equal(read_thermal(tmp_path / "a.tif"), CORNER)


def test_an_image_is_turned_as_it_says(tmp_path: Path) -> None:
    """v7labs/darwin-py#924, kohya-ss/sd-scripts#1316: trained on images that lay on their side."""
    exif = Image.Exif()
    exif[274] = 6  # the camera was held upright
    Image.fromarray(np.ascontiguousarray(np.rot90(CORNER))).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_thermal(tmp_path / "a.png"), CORNER)
    assert size_of(tmp_path / "a.png") == (20, 12)


def test_too_many_pixels_are_one_sentence(tmp_path: Path) -> None:
    """junyanz/pytorch-CycleGAN-and-pix2pix#1592: DecompressionBombError ended the training."""
    (tmp_path / "a.pgm").write_bytes(b"P5 60000 60000 255\n")
    with pytest.raises(BadInput, match=r"a\.pgm cannot be read .*[Bb]omb"):
        read_thermal(tmp_path / "a.pgm")


# Weights of others


@pytest.mark.parametrize(
    "content",
    [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 45523014\n",
        pickle.dumps({"weight": [0.0] * 100}),
        b"",
    ],
    ids=["a note of git-lfs", "a pickle under another name", "empty"],
)
def test_what_is_no_translator_is_said(content: bytes, tmp_path: Path) -> None:
    """codefuse-ai/MFTCoder#20, safetensors/safetensors#414: "HeaderTooLarge" for a file of another kind."""
    (tmp_path / "t.safetensors").write_bytes(content)
    write_image(tmp_path / "a.png", noise(16, 16))
    said = translated(tmp_path / "t.safetensors", tmp_path / "a.png", "--to", tmp_path / "out")
    assert said.startswith(f"thermochroma: {tmp_path}/t.safetensors ")
    assert said.count("\n") == 0


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_download_that_broke_off_is_said(share: float, tmp_path: Path) -> None:
    """open-mmlab/mmagic#876: "failed finding central directory" for half of a checkpoint."""
    path = tmp_path / "latest_net_G.pth"
    torch.save({"a": torch.zeros(4096)}, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(BadInput, match=r"latest_net_G\.pth (cannot be read|is empty)") as sentence:
        read_checkpoint(path)
    assert "check the path" in str(sentence.value)


def test_a_turned_bit_of_a_checkpoint_is_noticed(tmp_path: Path) -> None:
    """pytorch/pytorch#126952: `torch.load` has checksums before it, and compares none."""
    path = tmp_path / "latest_net_G.pth"
    torch.save({"a": torch.full((4096,), 0.5)}, path)
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((16,), 0.5).numpy().tobytes()) + 3] ^= 64
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)["a"][0] != 0.5, "the trap works"
    with pytest.raises(BadInput, match=r"latest_net_G\.pth cannot be read \(BadZipFile"):
        read_checkpoint(path)


def test_a_checkpoint_without_checksums_is_read(tmp_path: Path) -> None:
    """tracel-ai/burn#5712: PyTorch can be told to compute none, and then notes zeros."""
    from torch.utils.serialization import config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config.save, "compute_crc32", False)
        torch.save({"a": torch.ones(16)}, tmp_path / "a.pth")
    assert torch.equal(read_checkpoint(tmp_path / "a.pth")["a"], torch.ones(16))


def test_what_old_norms_kept_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """junyanz/pytorch-CycleGAN-and-pix2pix#262 and #318: released weights with entries of PyTorch 0.3."""
    old = {entry.public: torch.zeros(entry.shape) for entry in entries_of("cyclegan")}
    old["model.2.running_mean"] = torch.zeros(64)
    old["model.2.num_batches_tracked"] = torch.tensor(1)
    torch.save(old, tmp_path / "g.pth")
    given = [tmp_path / "g.pth", tmp_path / "t.safetensors", "--params", PARAMS]
    main(["import-weights", "cyclegan", *map(str, given)])
    said = capsys.readouterr().out
    assert "left out, as the authors' own loader does: 2 running statistics" in said


def _linked(file: h5py.File, other: Path) -> None:
    file["a/kernel:0"] = h5py.ExternalLink(str(other), "/weights")


def _stored_elsewhere(file: h5py.File, other: Path) -> None:
    file.create_dataset("a/kernel:0", (16,), np.float32, external=[(str(other), 0, 64)])


@pytest.mark.parametrize("make", [_linked, _stored_elsewhere])
def test_weights_of_keras_read_no_other_file(
    make: Callable[[h5py.File, Path], None], tmp_path: Path
) -> None:
    """keras-team/keras#22900, keras-team/tf-keras#921: another file of the reader's came as weights."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["weights"] = np.ones(16, np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file, tmp_path / "other.h5")
    with pytest.raises(BadInput, match=r"a link to another|numbers of other files"):
        read_checkpoint(tmp_path / "a.h5", ENTRIES)


# Files that are written


def test_a_writer_that_ends_midway_leaves_the_file_before(tmp_path: Path) -> None:
    """huggingface/pytorch-image-models#98: a kill while a checkpoint was written left half of one."""
    write_text(tmp_path / "last.pt", "the one before")
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "last.pt") as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
    assert (tmp_path / "last.pt").read_text() == "the one before"


def test_a_group_reads_what_its_umask_allows(tmp_path: Path) -> None:
    """ComputationalRadiationPhysics/picongpu#1214, go-gitea/gitea#21198: files for their owner alone."""
    before = os.umask(0o022)
    try:
        write_text(tmp_path / "one", "")
    finally:
        os.umask(before)
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o644


def test_a_name_is_no_formula() -> None:
    """hhurz/tableExport.jquery.plugin#230: a cell started a program in the reader's spreadsheet."""
    table = csv_table([["method", "psnr"], ["=cmd|' /C calc'!A0", "-12.5"]])
    assert table.splitlines()[1] == "'=cmd|' /C calc'!A0,-12.5"


# DVC and the first minutes


def test_a_torn_list_of_locks_is_removed(tmp_path: Path) -> None:
    """treeverse/dvc#7615: Ctrl-C left an empty `rwlock`, and every later command failed."""
    torn = tmp_path / ".dvc/tmp/rwlock"
    torn.parent.mkdir(parents=True)
    torn.touch()
    assert remove_torn_list(tmp_path)
    assert not torn.exists()


def test_a_damaged_cache_is_told(tmp_path: Path) -> None:
    """treeverse/dvc#9641: "up to date" of a cache whose file had been changed through its hard link."""
    config = (ROOT / ".dvc/config").read_text()
    assert 'type = "reflink,copy"' in config
    digest = "5d41402abc4b2a76b9719d911017c592"  # of "hello"
    cached = tmp_path / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    write_text(cached, "hullo")
    write_text(tmp_path / "out.txt", "hello")
    stages = {"one": {"cmd": "true", "outs": [{"path": "out.txt", "md5": digest}]}}
    write_text(tmp_path / "dvc.lock", yaml.safe_dump({"stages": stages}))
    told = {one.kind: one.damages for one in verify(tmp_path)}
    assert told["outputs of stages, by dvc.lock"] == []
    assert len(told["files in DVC's cache, by their names"]) == 1


def test_an_unpacked_archive_is_told_the_next_step(tmp_path: Path) -> None:
    """gdg-x/hoverboard#50: downloaded as a zip, it ended in git's words and a stack."""
    assert "git init" in preflight.git_problem(tmp_path, "/usr/bin/git")


def test_a_stage_ends_with_the_process_above() -> None:
    """vllm-project/vllm#55510, pytorch/pytorch#5736: workers outlived whoever was killed above them."""
    done = subprocess.run(
        [sys.executable, "-c", "import stages; print('went on')"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "DVC_STAGE": "train"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "no `dvc` runs above this process" in done.stderr
