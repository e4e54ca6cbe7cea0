"""A user's own two folders: how they pair up, how they are split, and what is refused."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.examiner import raw_params, write_params
from thermochroma.base.errors import BadInput
from thermochroma.config.params import Params, read_params
from thermochroma.contract.dataset import DatasetSettings, Frame, describe
from thermochroma.data.datasets.folders import DATASET, FoldersSettings
from thermochroma.pipeline.download import download
from thermochroma.pipeline.fingerprint import write_fingerprints

NAMES = tuple(f"street_{number}" for number in range(1, 41))


def _touch(root: Path, names: Sequence[str], *, visible: Sequence[str] | None = None) -> None:
    for spectrum, own in (("thermal", names), ("visible", visible or names)):
        for name in own:
            path = root / spectrum / f"{name}.{'png' if spectrum == 'thermal' else 'JPG'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def _draw(root: Path, names: Sequence[str]) -> None:
    rng = np.random.default_rng(0)
    for name in names:
        noise = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        for spectrum, image in (("thermal", noise[..., 0]), ("visible", noise)):
            path = root / spectrum / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)


def _settings(root: Path, **changes: Any) -> FoldersSettings:
    places = {spectrum: str(root / spectrum) for spectrum in ("thermal", "visible")}
    return FoldersSettings.model_validate({"on_defect": "refuse", **places, **changes})


def _frames(root: Path, **changes: Any) -> Sequence[Frame]:
    settings, raw = _settings(root, **changes), root / "raw/mine"
    DATASET.acquire(settings, raw)
    return DATASET.frames(settings, raw)


def _refuse_torn_sequences(frames: Sequence[Frame]) -> None:
    splits: dict[str, set[str]] = {}
    for frame in frames:
        splits.setdefault(frame.sequence, set()).add(frame.split)
    assert all(len(each) == 1 for each in splits.values())


def test_blocks_of_neighbours_stay_together(tmp_path: Path) -> None:
    _touch(tmp_path, NAMES)
    frames = _frames(tmp_path)
    assert [frame.frame for frame in frames] == list(NAMES), "2 before 10"
    assert (frames[0].thermal, frames[0].visible) == (
        "thermal/street_1.png",
        "visible/street_1.JPG",
    )
    _refuse_torn_sequences(frames)
    assert [frame.split for frame in frames[:12:2]] == [
        "train",
        "train",
        "test",
        "train",
        "train",
        "validation",
    ]
    assert all(
        one.sequence == other.sequence for one, other in zip(frames[::2], frames[1::2], strict=True)
    )
    larger = _frames(tmp_path, block=4)
    assert len({frame.sequence for frame in larger}) == 10


def test_a_block_lies_in_one_subfolder(tmp_path: Path) -> None:
    _touch(tmp_path, [f"walk_{part}/{name}" for part in (2, 10) for name in NAMES[:25]])
    frames = _frames(tmp_path, block=3)
    assert [frame.frame.split("/")[0] for frame in frames] == ["walk_2"] * 25 + ["walk_10"] * 25
    assert all(frame.sequence.startswith(frame.frame.split("/")[0]) for frame in frames)
    _refuse_torn_sequences(frames)


def test_folders_name_the_split_and_recordings_below_them_are_sequences(tmp_path: Path) -> None:
    _touch(tmp_path, ["train/a/1", "train/a/2", "train/b/1", "val/1", "val/2", "test/1", "test/2"])
    frames = {frame.frame: frame for frame in _frames(tmp_path, split="folders")}
    assert {name: frame.split for name, frame in frames.items()} == {
        **dict.fromkeys(["train/a/1", "train/a/2", "train/b/1"], "train"),
        **dict.fromkeys(["val/1", "val/2"], "validation"),
        **dict.fromkeys(["test/1", "test/2"], "test"),
    }
    assert [frames[name].sequence for name in ("train/a/1", "train/a/2", "train/b/1")] == [
        "train/a",
        "train/a",
        "train/b",
    ]
    assert frames["test/1"].sequence != frames["test/2"].sequence, "a block is one pair of seven"


def test_a_table_tells_splits_and_sequences(tmp_path: Path) -> None:
    _touch(tmp_path, NAMES[:6])
    table = tmp_path / "splits.csv"
    kinds = ["train", "train", "validation", "train", "test", "test"]
    rows = [f"{name},{kind}" for name, kind in zip(NAMES, kinds, strict=False)]
    table.write_text("\n".join(["name,split", *rows]))
    frames = _frames(tmp_path, split=str(table), block=2)
    assert [frame.split for frame in frames] == kinds
    assert [len({f.sequence for f in frames[a:b]}) for a, b in ((0, 2), (2, 5), (4, 6))] == [
        1,
        3,
        1,
    ]
    rows = [f"{row},{row[-3:]}" for row in rows]
    table.write_text("\n".join(["name,split,sequence", *rows]))
    assert [frame.sequence for frame in _frames(tmp_path, split=str(table))] == [
        "ain",
        "ain",
        "ion",
        "ain",
        "est",
        "est",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,split\nstreet_1,train\n", r"no row for the pair street_2 \(39 in all\)"),
        ("name,split\n", r"has 0 rows"),
        ("file,split\nstreet_1,train\n", r"columns \['file', 'split'\]"),
        ("name,split\nstreet_1,train\nstreet_1,test\n", "names the pair street_1 twice"),
        ("ALL,trian\n", r"has the split `trian` \(did you mean `train`\?\)"),
        ("ALL,train\nroad_1,test\n", r"a pair that is not there, road_1"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    _touch(tmp_path, NAMES)
    head, _, rest = text.partition("\n")
    if head.startswith("ALL,"):
        rows = "".join(f"{name},{head[4:]}\n" for name in NAMES)
        text = f"name,split\n{rows}{rest}"
    (tmp_path / "splits.csv").write_text(text)
    with pytest.raises(BadInput, match=sentence):
        _frames(tmp_path, split=str(tmp_path / "splits.csv"))


def test_a_sequence_in_two_splits_is_refused(tmp_path: Path) -> None:
    _touch(tmp_path, NAMES[:2])
    table = tmp_path / "splits.csv"
    table.write_text("name,split,sequence\nstreet_1,train,a\nstreet_2,test,a\n")
    with pytest.raises(BadInput, match="sequence a in two splits"):
        _frames(tmp_path, split=str(table))


def _empty(root: Path) -> None:
    for path in (root / "visible").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "changes", "sentence"),
    [
        (_empty, {}, r"visible holds no image; .*sources\.mine\.visible"),
        (
            lambda root: None,
            {"thermal": "nowhere"},
            r"thermal` is .nowhere.,.*no such folder",
        ),
        (lambda root: (root / "thermal/street_1.jpg").touch(), {}, "street_1.jpg and street_1.png"),
        (
            lambda root: [
                path.rename(path.with_stem(f"rgb_{path.stem}"))
                for path in list((root / "visible").iterdir())
            ],
            {},
            r"has the name of one of `sources\.mine\.visible`.*street_1\.png and rgb_street_1\.JPG",
        ),
        (
            lambda root: None,
            {"block": 20},
            r"40 pairs of `mine` are 2 blocks.*sources\.mine\.block",
        ),
        (
            lambda root: None,
            {"split": "folders"},
            "street_1 of `mine` lies in no folder of a split",
        ),
        (lambda root: None, {"split": "missing.csv"}, r"missing\.csv does not exist"),
        (lambda root: None, {"source": "x"}, r"sources\.mine\.source` is 'x'.*leave out"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    spoil: Callable[[Path], object], changes: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    _touch(tmp_path, NAMES)
    spoil(tmp_path)
    with pytest.raises(BadInput, match=sentence) as caught:
        _frames(tmp_path, **changes)
    assert "\n" not in str(caught.value)


def test_one_folder_inside_the_other_is_refused(tmp_path: Path) -> None:
    _touch(tmp_path, ["visible/1"])
    with pytest.raises(BadInput, match="neither inside the other"):
        _frames(tmp_path, visible=str(tmp_path / "thermal/visible"))


def test_other_folders_replace_the_links_and_a_persons_folder_stays(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _touch(tmp_path / name, [name])
        DATASET.acquire(_settings(tmp_path / name), tmp_path / "raw/mine")
        assert [path.stem for path in (tmp_path / "raw/mine/thermal").iterdir()] == [name]
    (tmp_path / "raw/theirs/thermal").mkdir(parents=True)
    with pytest.raises(BadInput, match="was put there by hand"):
        DATASET.acquire(_settings(tmp_path / "one"), tmp_path / "raw/theirs")


def _download(root: Path, settings: DatasetSettings) -> str:
    out = root / "out"
    paths = {"frames": out / "frames.csv", "report": out, "metrics": out / "metrics.json"}
    download("mine", settings, raw=root / "raw/mine", **paths)
    return (out / "frames.csv").read_text()


def test_the_stage_lists_them_and_says_how_many_are_for_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _draw(tmp_path, NAMES)
    table = _download(tmp_path, _settings(tmp_path, kind="folders", title="Our street"))
    assert table.count("\n") == len(NAMES) + 1
    told = capsys.readouterr()
    sizes = "train has 28 pairs in 14 sequences, validation has 4 pairs in 2 sequences, test has 8 pairs"
    assert sizes in told.out + told.err
    assert "fewer than 6 test sequences" in (tmp_path / "out/audit.md").read_text()
    assert "# Our street:" in (tmp_path / "out/audit.md").read_text()


@pytest.mark.parametrize("on_defect", ["refuse", "drop"])
def test_missing_partners_other_sizes_and_colours_are_defects(
    on_defect: str, tmp_path: Path
) -> None:
    _draw(tmp_path, NAMES)
    (tmp_path / "visible/street_1.png").unlink()
    Image.open(tmp_path / "visible/street_2.png").resize((16, 12)).save(
        tmp_path / "visible/street_2.png"
    )
    (tmp_path / "thermal/street_3.png").write_bytes(
        (tmp_path / "visible/street_3.png").read_bytes()
    )
    settings = _settings(tmp_path, kind="folders", on_defect=on_defect)
    if on_defect == "refuse":
        with pytest.raises(
            BadInput, match=r"visible image is missing \(3 of 40.*sources\.mine\.on_defect"
        ):
            _download(tmp_path, settings)
        return
    table = _download(tmp_path, settings)
    for defect in ("visible image is missing", "sizes differ: thermal 32x24, visible 16x12"):
        assert table.count(defect) == 1
    assert "thermal image" in next(row for row in table.splitlines() if row.startswith("street_3,"))


def test_fixed_cameras_share_a_transform_and_need_one_size(tmp_path: Path) -> None:
    _draw(tmp_path, [f"walk/{name}" for name in NAMES])
    assert {frame.mount for frame in _frames(tmp_path, cameras="fixed")} == {"walk"}
    assert len({frame.mount for frame in _frames(tmp_path, cameras="free")}) == 40
    for spectrum in ("thermal", "visible"):
        path = tmp_path / spectrum / "walk/street_1.png"
        Image.open(path).resize((16, 12)).save(path)
    with pytest.raises(BadInput, match=r"images in walk have 2 sizes.*cameras: free"):
        _download(tmp_path, _settings(tmp_path, kind="folders", cameras="fixed"))


def _params(tmp_path: Path, **changes: Any) -> Params:
    raw, places = raw_params(), {"thermal": "../t", "visible": "../v"}
    block = {"kind": "folders", "on_defect": "drop", **places}
    raw["sources"] |= {"mine": block, "theirs": block | changes}
    raw["methods"] = {name: raw["methods"][name] for name in ("tir2lab",)}
    raw |= {"lineup": ["tir2lab"], "video_lineup": [], "video_datasets": []}
    raw["budget"] = {"sample": raw["budget"]["sample"] | {"exceptions": {}}}
    write_params(tmp_path / "params.yaml", raw)
    return read_params(tmp_path / "params.yaml")


def test_any_number_of_them_under_any_name(tmp_path: Path) -> None:
    params = _params(tmp_path, title="Their street", cameras="aligned")
    mine, theirs = params.dataset("mine"), params.dataset("theirs")
    assert (mine.title, mine.aligned) == ("mine", False)
    assert (theirs.title, theirs.aligned) == ("Their street", True)
    assert describe("sample", params.source("sample")).title == "procedural sample"
    with pytest.raises(
        BadInput, match=r"`fodlers` under `sources\.theirs\.kind`.*did you mean `folders`"
    ):
        _params(tmp_path, kind="fodlers")
    with pytest.raises(
        BadInput, match=r"unknown key `sources\.theirs\.tehrmal`.*did you mean `thermal`"
    ):
        _params(tmp_path, tehrmal="x")


def test_settings_change_the_fingerprints_of_their_own_data_set_alone(tmp_path: Path) -> None:
    def written(**changes: Any) -> dict[str, str]:
        folder = tmp_path / "fingerprints"
        params = _params(tmp_path, **changes)
        write_fingerprints(params, source=ROOT / "src", stages=ROOT / "stages", fingerprints=folder)
        return {
            path.relative_to(folder).as_posix(): path.read_text()
            for kind in ("sources", "titles")
            for path in (folder / kind).iterdir()
        }

    before = written()
    assert before["sources/mine.txt"] == before["sources/theirs.txt"]
    assert "thermochroma.data.acquisition.own_folders" in before["sources/mine.txt"]
    assert "own_folders" not in before["sources/roadscene.txt"]
    for changes, changed in (
        # DVC compares the block itself, for the stage that lists frames
        ({"title": "x", "split": "folders"}, {"titles/theirs.txt"}),
        ({"cameras": "aligned"}, {"sources/theirs.txt"}),
    ):
        after = written(**changes)
        assert {name for name in before if before[name] != after[name]} == changed
        assert json.loads(after["sources/sample.txt"].splitlines()[-1])["drawn"] is True
