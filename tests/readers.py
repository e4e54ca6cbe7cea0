"""All functions of the house that open files to read them: who feeds them bad ones, or why nobody does.

`functions_that_read` finds them in the code. Each stands in one of three lists: FEEDERS (`opens`), OURS
(files that no user gives, with the reason), or UNFED (of users, and not fed here yet). To feed one of
UNFED, write a `Feeder` and strike the line.
"""

import ast
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import h5py
import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from tests.camera_files import write_flir
from tests.examiner import PARAMS, SCALE, method_of, settings_of
from tests.export.test_onnx_file import TOLD, model
from tests.rooms import MODULES, PACKAGE
from tests.serving.videos import write_video
from thermochroma.base.files import sha256
from thermochroma.base.images import read_thermal, write_image
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import write_csv
from thermochroma.config.params import read_params
from thermochroma.data.acquisition.own_splits import by_table
from thermochroma.evaluation.perceptual import read_lpips
from thermochroma.export.archive import TRANSLATOR, refuse_other_card, take_out
from thermochroma.export.artifact import build_translator, load_translator, save_translator
from thermochroma.export.metadata import Metadata, read_metadata
from thermochroma.export.onnx_file import read_onnx
from thermochroma.loading.text_features import TextTable, load_text, read_captions, save_text
from thermochroma.metrics.perceptual import read_linear
from thermochroma.networks.alexnet import ALEXNET_CONVS
from thermochroma.networks.efficientnet_lite import load_efficientnet
from thermochroma.networks.frozen import kind_of, load_vgg
from thermochroma.pretrained.authors_checkpoints import Entry, read_checkpoint
from thermochroma.pretrained.pickled_arrays import read_arrays
from thermochroma.pretrained.write_weights import write_efficientnet, write_vgg
from thermochroma.serving.sensor import read_sensor
from thermochroma.serving.video_files import opened_video

METHODS = {"read_text", "read_bytes", "read_csv", "read_parquet", "safe_load", "from_pretrained"}
METHODS |= {"ZipFile", "memmap", "fromfile", "imread"}
IMPORTED = {"load_file", "safe_open"}  # called by their bare names
LOADERS = {
    ("np", "load"),
    ("torch", "load"),
    ("h5py", "File"),
    ("Image", "open"),
    ("tarfile", "open"),
}


def functions_that_read() -> set[str]:
    """Functions with a call that opens a file to read it, such as "networks/frozen.py:load_vgg"."""
    found = set()
    for path in MODULES:
        for name, function in _functions(ast.parse(path.read_text())):
            calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
            if any(map(_reads, calls)):
                found.add(f"{path.relative_to(PACKAGE).as_posix()}:{name}")
    return found


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            inside = (one for one in node.body if isinstance(one, ast.FunctionDef))
            yield from ((f"{node.name}.{one.name}", one) for one in inside)


def _reads(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in IMPORTED or (function.id == "open" and not _writes(call, 1))
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    if (owner, function.attr) in LOADERS or function.attr in METHODS:
        return True
    return function.attr == "open" and owner not in {"Image", "os"} and not _writes(call, 0)


def _writes(call: ast.Call, place: int) -> bool:
    """Whether the mode of an `open` is one of writing."""
    given = [one.value for one in call.keywords if one.arg == "mode"] + call.args[place : place + 1]
    mode = given[0].value if given and isinstance(given[0], ast.Constant) else "r"
    return any(letter in str(mode) for letter in "wax")


@dataclass(frozen=True)
class Feeder:
    """How one reader of users' files is fed."""

    opens: tuple[str, ...]
    """Functions that read in it."""
    file: str
    """Name of the file, in a folder of its own."""
    make: Callable[[Path], None]
    """Write a right file at a path, and what else its reader needs in its folder."""
    read: Callable[[Path], object]
    """Read the file at a path."""
    wrong: Callable[[Path], None] | None = None
    """Write a file of the same format with other names inside; None if the format has none."""
    remedy: str = ""
    """Words of the remedy."""
    by_hand: bool = False
    """Whether people hand it to the command: then it must not speak of stages that write it anew."""


def _flir(path: Path) -> None:
    write_flir(path, np.full((12, 16), 16000, np.uint16))


def _flir_without_its_camera(path: Path) -> None:
    _flir(path)
    path.write_bytes(path.read_bytes().replace(b"\0\x20\0\2", b"\0\x21\0\2"))


def _whole_video(path: Path) -> int:
    with opened_video(path) as video:
        return len([*video.parts()])


def _translator(path: Path) -> None:
    network = build_translator(
        method_of("tir2lab"), settings_of("tir2lab"), scale=SCALE, text_width=0
    )
    settings = json.loads(settings_of("tir2lab").model_dump_json())
    save_translator(network, path, Metadata("a", settings, SCALE, 0, "b", 64, "random", None))


def _archive(path: Path) -> None:
    with TemporaryDirectory() as folder:
        _translator(Path(folder) / TRANSLATOR)
        with ZipFile(path, "w") as packed:
            packed.write(Path(folder) / TRANSLATOR, TRANSLATOR)


def _archive_of_something_else(path: Path) -> None:
    with ZipFile(path, "w") as packed:
        packed.writestr("other.txt", "other")


def _card(path: Path) -> None:
    _translator(path.with_name("t.safetensors"))
    path.write_text(f"| SHA-256 of the translator | {sha256(path.with_name('t.safetensors'))} |\n")


def _safetensors(path: Path) -> None:
    save_file({"other": torch.zeros(3)}, path)


def _hdf5(path: Path, name: str = "a/a/kernel:0") -> None:
    with h5py.File(path, "w") as file:
        file[name] = np.ones(3, np.float32)


def _linear(path: Path) -> None:
    torch.save({f"lin{layer}.model.1.weight": torch.ones(1, 3, 1, 1) for layer in range(5)}, path)


def _text(path: Path) -> None:
    save_text(path, TextTable(torch.zeros(2, 7, 3), torch.ones(2, 7, dtype=torch.bool), {"a": 1}))


def _vgg(path: Path) -> None:
    write_vgg(path.parent, network="vgg16", kind="stand_in", stand_in_width_divisor=32)


def _efficientnet(path: Path) -> None:
    write_efficientnet(path.parent, kind="stand_in", stand_in_width_divisor=16)


def _table(*columns: str) -> Callable[[Path], None]:
    return lambda path: write_csv(path, pd.DataFrame({name: ["a"] for name in columns}))


def _pickle(item: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(pickle.dumps(item))

    return write


def _alexnet(path: Path) -> None:
    state, width = {}, 3
    for n, index in enumerate(ALEXNET_CONVS):
        state[f"features.{index}.weight"] = torch.zeros(2, width, 3, 3)
        state[f"features.{index}.bias"] = torch.zeros(2)
        state[f"lin{n}"] = torch.ones(2)
        width = 2
    save_file(state, path)


FEEDERS = {
    "table of splits": Feeder(
        opens=("data/acquisition/own_splits.py:_read",),
        file="splits.csv",
        make=lambda path: path.write_text("name,split\nrec/a,train\nrec/b,test\n"),
        read=lambda path: by_table(["rec/a", "rec/b"], None, path),
        wrong=lambda path: path.write_text("file,split\nrec/a,train\nrec/b,test\n"),
        remedy="correct the table",
        by_hand=True,
    ),
    "image": Feeder(
        opens=("base/decoding.py:opened",),
        file="a.png",
        make=lambda path: write_image(path, np.arange(4096, dtype=np.uint8).reshape(64, 64)),
        read=read_thermal,
        remedy="leave it out",
        by_hand=True,
    ),
    "translator": Feeder(
        opens=(
            "export/artifact.py:load_translator",
            "export/metadata.py:read_head",
            "export/metadata.py:refuse_damaged",
        ),
        file="a.safetensors",
        make=_translator,
        read=load_translator,
        wrong=_safetensors,
        remedy="give another translator",
        by_hand=True,
    ),
    "translator in ONNX": Feeder(
        opens=("export/onnx_file.py:_read",),
        file="a.onnx",
        make=lambda path: path.write_bytes(model(TOLD).SerializeToString()),  # type: ignore[arg-type,return-value]
        read=read_onnx,
        wrong=lambda path: path.write_bytes(model("{}").SerializeToString()),  # type: ignore[arg-type,return-value]
        remedy="give another one",
        by_hand=True,
    ),
    "archive of a translator": Feeder(
        ("export/archive.py:take_out", "export/archive.py:_copy"),
        "translator.zip",
        _archive,
        lambda path: take_out(path, path.with_name("taken")),
        wrong=_archive_of_something_else,
        remedy="give another archive",
        by_hand=True,
    ),
    "model card": Feeder(
        ("export/archive.py:refuse_other_card", "export/archive.py:_add"),
        "card.md",
        _card,
        lambda path: refuse_other_card(path.with_name("t.safetensors"), path),
        remedy="--card",
    ),
    "metadata": Feeder(
        opens=("export/metadata.py:read_head",),
        file="a.safetensors",
        make=_translator,
        read=read_metadata,
        wrong=_safetensors,
        remedy="give another translator",
        by_hand=True,
    ),
    "authors' checkpoint": Feeder(
        opens=("base/stored_tensors.py:read_state",),
        file="a.pth",
        make=lambda path: torch.save({"a": torch.zeros(64)}, path),
        read=read_checkpoint,
        wrong=lambda path: torch.save({1: [2]}, path),
        remedy="check the path",
        by_hand=True,
    ),
    "Keras's weights": Feeder(
        opens=("pretrained/keras_weights.py:read_keras",),
        file="a.h5",
        make=_hdf5,
        read=lambda path: read_checkpoint(path, [Entry("a.kernel", (3,), "a", "")]),
        wrong=lambda path: _hdf5(path, "b/b/kernel:0"),
        remedy="check the path",
        by_hand=True,
    ),
    "LPIPS": Feeder(
        opens=("base/stored_tensors.py:read_state",),
        file="lpips.pth",
        make=_linear,
        read=read_linear,
        wrong=lambda path: torch.save({"lin9.model.1.weight": torch.ones(1, 3, 1, 1)}, path),
        remedy="dvc repro -f weights",
    ),
    "VGG": Feeder(
        opens=("networks/frozen.py:read_tensors",),
        file="model.safetensors",
        make=_vgg,
        read=lambda path: load_vgg(path.parent),
        wrong=_safetensors,
        remedy="dvc repro -f weights",
    ),
    "EfficientNet": Feeder(
        opens=("networks/frozen.py:read_tensors",),
        file="model.safetensors",
        make=_efficientnet,
        read=lambda path: load_efficientnet(path.parent),
        wrong=_safetensors,
        remedy="dvc repro -f weights",
    ),
    "origin": Feeder(
        opens=("base/sealed.py:read_json",),
        file="origin.json",
        make=lambda path: write_json(path, {"kind": "stand_in"}),
        read=lambda path: kind_of(path.parent),
        wrong=lambda path: write_json(path, {"sort": "stand_in"}),
        remedy="dvc repro -f weights",
    ),
    "captions": Feeder(
        opens=("base/tables.py:read_csv",),
        file="captions.csv",
        make=_table("frame", "text", "source", "author"),
        read=read_captions,
        wrong=_table("frames", "texts"),
        remedy="dvc repro",
    ),
    "features of captions": Feeder(
        opens=("loading/text_features.py:load_text",),
        file="text.safetensors",
        make=_text,
        read=load_text,
        wrong=_safetensors,
        remedy="dvc repro",
    ),
    "pickled arrays": Feeder(
        opens=("pretrained/pickled_arrays.py:read_arrays",),
        file="a.ckpt",
        make=_pickle({"net": {"kernel": np.arange(64, dtype=np.float32)}}),
        read=read_arrays,
        wrong=_pickle({"net": "text"}),
        remedy="fetched again",
    ),
    "LPIPS of one trunk": Feeder(
        opens=("evaluation/perceptual.py:read_lpips",),
        file="model.safetensors",
        make=_alexnet,
        read=lambda path: read_lpips(path.parent, "alexnet", torch.device("cpu")),
        wrong=_safetensors,
        remedy="dvc repro -f weights",
    ),
    "FLIR's image": Feeder(
        opens=("serving/sensor.py:_flir",),
        file="a.jpg",
        make=_flir,
        read=read_sensor,
        wrong=_flir_without_its_camera,
        remedy="give the file anew",
        by_hand=True,
    ),
    "video": Feeder(
        opens=("serving/video_files.py:opened_video",),
        file="a.mp4",
        make=lambda path: write_video(  # type: ignore[arg-type,return-value]
            path, [np.full((64, 64), 9, np.uint8)] * 3, codec="libx264", form="yuv420p"
        ),
        read=_whole_video,
        remedy="give the file anew",
        by_hand=True,
    ),
    "settings": Feeder(
        opens=("config/params.py:read_params",),
        file="params.yaml",
        make=lambda path: path.write_bytes(PARAMS.read_bytes()),  # type: ignore[arg-type,return-value]
        read=read_params,
        wrong=lambda path: path.write_text("sede: 0\n"),  # type: ignore[arg-type,return-value]
        remedy="",
    ),
}
OURS = {
    "cluster/checkpoints.py:files_in": "bytes that go on to another machine; the training reads them",
    "cluster/commands.py:logged": "reopens the log that it wrote itself",
    "cluster/project.py:pack": "text that goes on to another machine, where DVC reads it",
    "export/archive.py:pack": "opens the archive that it writes; what it packs is fed above",
    "serving/camera.py:_opened": "a device; fed in tests/serving/test_camera.py",
    "serving/video_writing.py:note_of": "what cannot be read is no video of ours",
    "serving/video_writing.py:_digest": "bytes of any kind, for the two around it",
    "serving/video_writing.py:_seal": "reopens what was just written",
    "base/files.py:sha256": "bytes of any kind; `reading` is where a path is a user's",
    "base/decoding.py:_same": "bytes of any kind, compared with their digest",
    "base/memory.py:free_bytes": "files of the kernel",
    "base/files.py:md5": "bytes of any kind; `reading` is where a path is a user's",
    "base/files.py:whole_file": "reopens what it wrote itself",
    "base/sealed.py:seal": "reopens what was just written",
    "config/code_fingerprint.py:Fingerprinter._read": "code of the project",
    "data/acquisition/partial_file.py:PartialFile.finish": "reopens what it wrote itself",
    "data/cropping/near_duplicates.py:_leaders": "a temporary file of its own",
    "data/cropping/near_duplicates.py:keep_thumbnails": "a temporary file of its own",
    "data/cropping/near_duplicates.py:steps": "a temporary file of its own",
    "networks/clip_text.py:TextEncoder.__init__": "fed file by file in tests/pretrained",
    "networks/clip_text.py:_mapping": "fed file by file in tests/pretrained",
    "networks/clip_text.py:_refuse_faulty": "fed file by file in tests/pretrained",
    "pretrained/package_index.py:_opened": "an archive whose hash was compared before",
    "pretrained/authors_checkpoints.py:entries_of": "tables inside the package",
    "pretrained/authors_checkpoints.py:_refuse_damaged": "called by `read_checkpoint`, which is fed",
    "pretrained/write_weights.py:_published_clip": "files of the hub's cache, or of a named folder",
    "reporting/page/render.py:_inline": "files inside the package",
    "base/shards.py:Shard.__init__": "fed in tests/base/test_shards.py",
    "evaluation/gallery.py:_stored": "fed in tests/pipeline/test_stored.py",
    "evaluation/outputs.py:read_panel": "fed in tests/pipeline/test_stored.py",
    "pipeline/intervals.py:_bounds_in": "fed in tests/pipeline/test_track.py",
    "pipeline/sweep.py:tabulate_sweep": "fed in tests/pipeline/test_stored.py",
    "tracking/changes.py:changed_settings": "fed in tests/tracking/test_changes.py",
    "serving/demo.py:card_text": "any text is a card; bytes are fed in tests/serving/test_demo.py",
    "serving/skeletons.py:_filled": "the package's own templates",
    "serving/results.py:_read": "fed in tests/serving/test_results.py",
    "tracking/journal.py:is_tracked": "fed in tests/tracking",
    "training/checkpoint.py:_load": "fed in tests/training/test_checkpoint.py",
    "training/finished.py:damaged": "fed in tests/training/test_finished.py",
    "serving/verify.py:_broken_seal": "fed in tests/serving/test_verify.py",
    "serving/verify.py:_listed": "fed in tests/serving/test_verify.py",
    "serving/verify.py:_stages": "fed in tests/serving/test_verify.py",
    "data/acquisition/fetch.py:_md5_of": "bytes of any kind, compared with their digest",
    "data/acquisition/notes.py:read_note": "fed in tests/data/test_bad_files.py",
    "data/acquisition/kaist_annotations.py:read_boxes": "fed in tests/data/test_bad_files.py",
    "data/acquisition/unpack.py:_members": "fed in tests/data/test_bad_files.py",
    "data/acquisition/unpack.py:is_archive": "fed in tests/data/test_bad_files.py",
    "data/captioning/captioner.py:Captioner.__init__": "fed in tests/data/captioning",
    "data/captioning/overrides.py:read_overrides": "fed in tests/data/test_bad_files.py",
    "data/datasets/kaist.py:_listed": "fed in tests/data/test_bad_files.py",
}
"""Readers of files that no user gives, or that are fed elsewhere: and why."""
UNFED = {
    "data/acquisition/partial_file.py:PartialFile.version",
    *("data/datasets/irvi.py:_claim", "data/datasets/sample.py:_claim"),
}
"""Readers of files that lie where a user can reach them, and that nobody feeds yet: strike what is fed."""
