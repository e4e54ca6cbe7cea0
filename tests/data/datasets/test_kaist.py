"""KAIST: exact numbers of each profile, whole recordings in a split, and every defect by its name."""

import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from pydantic import ValidationError

from tests.made_data import DAY, TOTALS, Made, kaist_counts, make_kaist
from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import FRAME_COLUMNS, usable
from thermochroma.contract.dataset import Facts, Frame, load_dataset
from thermochroma.data.acquisition import kaist_archives as published
from thermochroma.data.acquisition.archives import Archive
from thermochroma.data.acquisition.frame_thinning import kept_evenly
from thermochroma.data.acquisition.inspect import inspect
from thermochroma.data.acquisition.kaist_archives import MD5
from thermochroma.data.datasets import kaist
from thermochroma.data.datasets.kaist import SETS, VALIDATION, KaistSettings, _split_of

DATASET = load_dataset("kaist")
SCALE = 0.012  # of the published numbers: from 4 to 57 frames a recording
PARTIAL = KaistSettings(allow_partial=True, image_size=(80, 64))


def settings_of(**changes: object) -> KaistSettings:
    return KaistSettings.model_validate({"image_size": (80, 64), **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """All 41 recordings, each defect once."""
    root = tmp_path_factory.mktemp("kaist")
    return root, make_kaist(root, kaist_counts(SCALE), defects=1)


def table_of(counts: dict[str, int]) -> pd.DataFrame:
    """The inspected table of that many sound frames, without any image."""
    rows = [
        {"frame": f"{name}/I{n:05d}", "sequence": name, "split": _split_of(name), "time": time}
        for name, count in counts.items()
        for time in [SETS[name.split("/")[0]][1]]
        for n in range(count)
    ]
    table = pd.DataFrame(rows).reindex(columns=list(FRAME_COLUMNS), fill_value="")
    return table.astype(
        {name: "string" for name, kind in FRAME_COLUMNS.items() if kind == "string"}
    )


def by_day(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name.split("/")[0] in DAY}


def numbers(table: pd.DataFrame) -> tuple[int, int]:
    """Frames used for training with validation, and for testing."""
    split = usable(table)["split"]
    return int((split != "test").sum()), int((split == "test").sum())


def chosen(table: pd.DataFrame, **changes: object) -> pd.DataFrame:
    assert DATASET.choose is not None
    return DATASET.choose(settings_of(**changes), table)


def said(table: pd.DataFrame, **changes: object) -> list[str]:
    assert DATASET.remarks is not None
    return list(DATASET.remarks(settings_of(**changes), table))


def test_paper_counts_are_exact() -> None:
    table = chosen(table_of(by_day(kaist_counts())))
    assert numbers(table) == (26387, 23925)
    assert set(table["left_out"]) == {
        "", "thinned evenly to 26387 frames", "thinned evenly to 23925 frames"
    }  # fmt: skip
    for _, rows in table.groupby("sequence"):  # evenly: in every recording the same share
        kept = (rows["left_out"] == "").mean()
        assert kept == pytest.approx(0.79 if rows["split"].iloc[0] != "test" else 0.82, abs=0.01)


def test_full_day_has_every_frame() -> None:
    table = chosen(table_of(by_day(kaist_counts())), profile="full_day")
    assert numbers(table) == (33399, 29179)


def test_thinning_counts_sound_frames_alone() -> None:
    table = table_of(by_day(kaist_counts()))
    table.loc[::7, "defect"] = "thermal image is missing"
    thinned = chosen(table)
    assert numbers(thinned) == (26387, 23925)
    assert set(thinned.loc[::7, "left_out"]) == {""}  # a defect is reason enough


def test_nights_stay_whole() -> None:
    table = chosen(table_of(kaist_counts()), times=["day", "night"])
    used = usable(table)
    assert int((used["time"] == "night").sum()) == 95328 - 33399 - 29179
    assert int((used["time"] == "day").sum()) == 26387 + 23925
    only = table_of({"set03/V000": 9})
    assert chosen(only, times=["night"]).equals(only)


def test_too_few_frames_are_all_kept_and_told_of() -> None:
    table = chosen(table_of({"set00/V000": 100, "set06/V000": 100}))
    assert numbers(table) == (100, 100)
    assert said(table)[-2:] == [
        "paper_counts has only 100 sound frames for training and validation, the paper 26387",
        "paper_counts has only 100 sound frames for testing, the paper 23925",
    ]


@pytest.mark.parametrize("candidates, target", [(0, 5), (3, 5), (5, 5), (7, 3), (33399, 26387)])
def test_thinning_is_exact_and_even(candidates: int, target: int) -> None:
    kept = kept_evenly(candidates, target)
    assert kept.sum() == min(candidates, target)
    for count in range(1, min(candidates, 60)):  # every beginning has its share
        assert abs(kept[:count].sum() - count * min(target, candidates) / candidates) < 1


def test_nothing_is_said_of_the_published_numbers() -> None:
    assert said(chosen(table_of(by_day(kaist_counts())))) == []
    assert said(table_of(kaist_counts()), times=["day", "night"], profile="full_day") == []


def test_odd_numbers_are_told_of() -> None:
    counts = by_day(kaist_counts()) | {"set00/V003": 1641, "set07/V002": 1579}
    del counts["set01/V005"]
    assert said(table_of(counts), profile="full_day") == [
        "set00 has 17501 frames, the published data 17498",
        "set00/V003 has 1641 frames, the published data 1631 to 1640",
        "set01 has 7731 frames, the published data 8035",
        "set01/V005 has 0 frames, the published data 301 to 310",
        "set07 has 8133 frames, the published data 8141",
        "set07/V002 has 1579 frames, the published data 1580 to 1599",
    ]


def test_s20_is_the_published_list_or_every_twentieth(whole: tuple[Path, Made]) -> None:
    root, made = whole
    settings = settings_of(profile="s20")
    frames = [frame.frame for frame in DATASET.frames(settings, root)]
    counts = by_day(dict(made.counts))
    assert frames == [f"{name}/I{n:05d}" for name in counts for n in range(19, counts[name], 20)]
    lists = root / "imageSets"
    lists.rename(root / "elsewhere")
    again = [frame.frame for frame in DATASET.frames(settings, root)]
    (root / "elsewhere").rename(lists)
    assert again == frames


def test_s20_has_the_published_number_of_test_frames() -> None:
    every = {name: count // 20 for name, count in by_day(kaist_counts()).items()}
    table = table_of(every)
    assert numbers(table)[1] == 1455
    assert said(table, profile="s20") == []
    fewer = table_of(every | {"set08/V002": 1})
    assert said(fewer, profile="s20") == ["s20 has 1331 test frames by day, its list 1455"]


@pytest.mark.parametrize("profile", ["paper_counts", "full_day", "s20"])
@pytest.mark.parametrize("times", [["day"], ["night"], ["day", "night"]])
def test_no_sequence_stands_in_two_splits(
    profile: str, times: list[str], whole: tuple[Path, Made]
) -> None:
    frames = DATASET.frames(settings_of(profile=profile, times=times), whole[0])
    assert len(frames) == len({frame.frame for frame in frames})
    splits: dict[str, set[str]] = {}
    for frame in frames:
        splits.setdefault(frame.sequence, set()).add(frame.split)
    assert all(len(each) == 1 for each in splits.values())
    assert {frame.time for frame in frames} == set(times)
    if profile != "s20":
        held_out = {name for name, each in splits.items() if each == {"validation"}}
        assert held_out == (set(VALIDATION) if "day" in times else set())


def test_a_frame_is_what_its_path_says(whole: tuple[Path, Made]) -> None:
    frame = next(f for f in DATASET.frames(settings_of(), whole[0]) if f.sequence == "set01/V004")
    assert frame == Frame(
        frame="set01/V004/I00000",
        sequence="set01/V004",
        mount="set01/V004",
        rig="set01",
        split="validation",
        place="road",
        time="day",
        thermal="images/set01/V004/lwir/I00000.jpg",
        visible="images/set01/V004/visible/I00000.jpg",
    )
    facts = DATASET.facts(settings_of(), whole[0])
    assert facts("set11/V001/I00003") == Facts(
        time="night", scene="a downtown street with shops and tall buildings"
    )


DEFECTS = {
    "missing lwir": "thermal image is missing",
    "missing visible": "visible image is missing",
    "truncated": "visible image cannot be read",
    "constant": "thermal image is constant",
    "duplicated": "thermal image is the same as that of",
    "misnamed": "visible image is missing",
    "sizes": "sizes differ: thermal 80x64, visible 40x32",
    "grey": "visible image is grey",
    "small": "has 40x32 pixels",
}


@pytest.fixture(scope="module")
def inspected(whole: tuple[Path, Made]) -> Iterator[pd.DataFrame]:
    settings = settings_of()
    frames = DATASET.frames(settings, whole[0])
    yield inspect(frames, whole[0], on_defect="drop", image_size=settings.image_size)


def test_every_planted_defect_is_found_and_nothing_else(
    whole: tuple[Path, Made], inspected: pd.DataFrame
) -> None:
    _, made = whole
    planted = {one.frame: DEFECTS[one.kind] for one in made.planted if one.kind in DEFECTS}
    assert len(planted) == len(DEFECTS)
    left = {one.frame for one in made.planted} - set(planted)  # frozen: found by comparing frames
    misnamed = next(one.frame for one in made.planted if one.kind == "misnamed")
    planted[misnamed.replace("/I0", "/I")] = "thermal image is missing"  # the stray twin
    faulty = inspected[(inspected["defect"] != "") & ~inspected["frame"].isin(left)]
    assert set(faulty["frame"]) == set(planted)
    for frame, defect in zip(faulty["frame"], faulty["defect"], strict=True):
        assert defect.startswith(planted[frame])


def test_counts_of_the_folders_may_differ(
    whole: tuple[Path, Made], inspected: pd.DataFrame
) -> None:
    counts = Counter(inspected["sequence"])
    expected = by_day(dict(whole[1].counts))
    misnamed = next(one.frame for one in whole[1].planted if one.kind == "misnamed")
    expected[misnamed.rpartition("/")[0]] += 1
    assert counts == expected


def test_three_frames_are_a_sequence(tmp_path: Path) -> None:
    make_kaist(tmp_path, {"set00/V000": 3})
    table = inspect(DATASET.frames(PARTIAL, tmp_path), tmp_path, on_defect="refuse")
    assert numbers(chosen(table)) == (3, 0)
    assert DATASET.frames(PARTIAL.model_copy(update={"profile": "s20"}), tmp_path) == []


def test_boxes_are_read_where_they_are(whole: tuple[Path, Made], tmp_path: Path) -> None:
    assert DATASET.boxes is not None
    of = DATASET.boxes(settings_of(), whole[0])
    assert [box.label for box in of("set00/V000/I00002")] == ["person", "people"]
    with pytest.raises(BadInput, match="holds no annotations of `kaist`"):
        DATASET.boxes(settings_of(), tmp_path)


@pytest.mark.parametrize("there", [(), ("set00/V000",), ("set06/V000", "set07/V000")])
def test_missing_sets_end_with_the_next_step(there: tuple[str, ...], tmp_path: Path) -> None:
    make_kaist(tmp_path, dict.fromkeys(there, 3))
    with pytest.raises(BadInput) as caught:
        DATASET.frames(KaistSettings(), tmp_path)
    first = "set00/V001" if "set00/V000" in there else "set00/V000"
    assert f"lacks images/{first} and {30 - len(there)} more recordings" in caught.value.given
    assert "`sources.kaist.source`" in caught.value.remedy
    assert "`sources.kaist.allow_partial: true`" in caught.value.remedy


def test_what_is_there_may_be_enough(tmp_path: Path) -> None:
    make_kaist(tmp_path, {"set00/V000": 3, "set06/V001": 4, "set03/V000": 5})
    frames = DATASET.frames(PARTIAL, tmp_path)
    assert Counter(frame.sequence for frame in frames) == {"set00/V000": 3, "set06/V001": 4}
    with pytest.raises(BadInput, match="lacks images/"):
        DATASET.frames(PARTIAL, tmp_path / "nowhere")


FEW: dict[str, tuple[str, str, int, tuple[int, ...]]] = {
    "set00": ("campus", "day", 0, (0, 0)),
    "set03": ("campus", "night", 0, (0,)),
    "set06": ("campus", "day", 0, (0,)),
}
COUNTS = {"set00/V000": 3, "set00/V001": 4, "set03/V000": 3, "set06/V000": 5}
BY_DAY = {name: count for name, count in COUNTS.items() if not name.startswith("set03")}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A KAIST of four recordings."""
    monkeypatch.setattr(kaist, "SETS", FEW)


class _Quiet(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """A folder, the address under which it is served, and what has been asked for."""
    folder = tmp_path / "server"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as running:
        running.asked = []  # type: ignore[attr-defined]
        Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_port}/", running.asked  # type: ignore[attr-defined]
        running.shutdown()


def from_(address: str, **changes: object) -> KaistSettings:
    """Settings whose addresses are at `address` alone; the made archives' MD5 is not the published one."""
    given = {"base": [address], "plain_base": [], "whole": [], "mirrors": [f"{address}copies/"]}
    return settings_of(**{**given, "allow_other_versions": True, **changes})


def zipped(path: Path, folder: Path, inside: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.jpg")):
            archive.write(file, Path(inside) / file.relative_to(folder))


def listed(settings: KaistSettings, raw: Path) -> Counter[str]:
    return Counter(frame.sequence for frame in DATASET.frames(settings, raw))


@pytest.mark.parametrize("root", ["", "kaist-cvpr15", "kaist-rgbt"])
def test_a_local_folder_is_used_in_its_place(few: None, root: str, tmp_path: Path) -> None:
    make_kaist(tmp_path / "copy" / root, COUNTS)
    before = sorted(path for path in (tmp_path / "copy").rglob("*"))
    settings, raw = settings_of(source=str(tmp_path / "copy")), tmp_path / "raw" / "kaist"
    for _ in range(2):
        DATASET.acquire(settings, raw)
        assert listed(settings, raw) == BY_DAY
    assert sorted(path for path in (tmp_path / "copy").rglob("*")) == before
    assert (raw / "images/set00/V000").resolve().is_relative_to(tmp_path / "copy")
    assert DATASET.boxes is not None
    assert len(DATASET.boxes(settings, raw)("set06/V000/I00001")) == 1


@pytest.mark.parametrize("below", [".", "images"])
def test_local_archives_are_unpacked(few: None, below: str, tmp_path: Path) -> None:
    make_kaist(tmp_path / "made", COUNTS, zips=True)
    copy = tmp_path / "copy"
    copy.mkdir()
    (tmp_path / "made/images").rename(copy / "images")
    if below == ".":
        for file in (copy / "images").iterdir():
            file.rename(copy / file.name)
    settings, raw = settings_of(source=str(copy)), tmp_path / "raw" / "kaist"
    DATASET.acquire(settings, raw)
    assert listed(settings, raw) == BY_DAY


def test_only_what_is_needed_is_fetched(
    few: None, server: tuple[Path, str, list[str]], tmp_path: Path
) -> None:
    folder, address, asked = server
    make_kaist(folder, COUNTS, zips=True)
    settings, raw = from_(address), tmp_path / "raw" / "kaist"
    DATASET.acquire(settings, raw)
    assert listed(settings, raw) == BY_DAY
    wanted = [f"/images/{name.replace('/', '_')}.zip" for name in BY_DAY]
    assert [path for path in asked if "/set" in path] == wanted
    assert DATASET.boxes is not None
    assert len(DATASET.boxes(settings, raw)("set06/V000/I00002")) == 2
    s20 = settings.model_copy(update={"profile": "s20"})
    assert (raw / "imageSets/test-day-20.txt").is_file()
    assert listed(s20, raw) == {}
    asked.clear()
    DATASET.acquire(settings, raw)
    assert asked == []
    night = from_(address, times=["night"])
    DATASET.acquire(night, raw)
    assert listed(night, raw) == {"set03/V000": 3}


@pytest.mark.parametrize("way", ["older", "sets", "everything", "copies"])
def test_other_ways_are_tried_in_turn(
    few: None, way: str, server: tuple[Path, str, list[str]], tmp_path: Path
) -> None:
    folder, address, asked = server
    make_kaist(tmp_path / "made", COUNTS, annotations=False)
    images = tmp_path / "made/images"
    if way == "older":
        for name in COUNTS:
            zipped(folder / f"{name.replace('/', '_')}.zip", images / name, name)
    elif way == "sets":
        zipped(folder / "images/set00_V000.zip", images / "set00/V000", "set00/V000")
        for name in ("set00", "set06"):
            zipped(folder / f"images/{name}.zip", images / name, f"images/{name}")
    elif way == "everything":
        with tarfile.open(folder / "videos.tar", "w") as archive:
            archive.add(tmp_path / "made", "kaist-cvpr15")
    else:
        for file, name in (("train", "set00"), ("test", "set06")):
            zipped(folder / f"copies/{file}.zip", images / name, f"images/{name}")
    settings, raw = from_(address, allow_mirror=way == "copies"), tmp_path / "raw" / "kaist"
    DATASET.acquire(settings, raw)
    assert listed(settings, raw) == BY_DAY
    asked.clear()
    DATASET.acquire(settings, raw)  # annotations are asked for again, images are not
    assert listed(settings, raw) == BY_DAY
    assert not [path for path in asked if "annotations" not in path and "imageSets" not in path]


def test_copies_of_others_need_leave(
    few: None, server: tuple[Path, str, list[str]], tmp_path: Path
) -> None:
    _, address, asked = server
    with pytest.raises(BadInput, match=r"by other ways .*`sources\.kaist\.source`"):
        DATASET.acquire(from_(address), tmp_path / "raw")
    assert asked
    assert not any("copies" in path for path in asked)


def test_half_a_local_copy_ends_with_the_next_step(few: None, tmp_path: Path) -> None:
    make_kaist(tmp_path / "copy", {"set00/V000": 3, "set06/V000": 3}, annotations=False)
    settings, raw = settings_of(source=str(tmp_path / "copy")), tmp_path / "raw" / "kaist"
    with pytest.raises(BadInput, match=r"set00_V001\.zip.*; .*put set00_V001\.zip"):
        DATASET.acquire(settings, raw)
    partial_ = settings.model_copy(update={"allow_partial": True})
    DATASET.acquire(partial_, raw)
    assert listed(partial_, raw) == {"set00/V000": 3, "set06/V000": 3}


@pytest.mark.parametrize("wrong", [{"profile": "all"}, {"times": []}, {"times": ["dusk"]}])
def test_settings_have_ranges(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KaistSettings.model_validate(wrong)


def test_the_table_of_sets_is_the_published_one() -> None:
    assert {name: frames for name, (_, _, frames, _) in SETS.items()} == TOTALS
    assert sum(TOTALS.values()) == 95328
    assert [len(least) for *_, least in SETS.values()] == [9, 6, 5, 2, 2, 1, 5, 3, 3, 1, 2, 2]
    assert len(set(MD5.split()[1::2])) == 41


def test_plain_http_comes_last_and_only_where_the_md5_is_known() -> None:
    """d2l-ai/d2l-en#2714: data by plain HTTP can be exchanged by anyone on the way."""

    def schemes(archives: list[Archive]) -> list[str]:
        (one,) = archives
        assert (one.md5 is not None) or not any(url.startswith("http:") for url in one.addresses)
        return [url.split(":")[0] for url in one.addresses]

    settings = KaistSettings()
    base, plain = settings.base, settings.plain_base
    assert schemes(published.of_recordings(["set00/V000"], base, plain)) == [
        *["https"] * 4, *["http"] * 4
    ]  # fmt: skip
    assert schemes(published.of_texts("annotations.zip", base, plain))[-1] == "http"
    for archives in (
        published.of_texts("annotations.tar", base, plain),
        published.of_sets(["set00/V000"], base),
        published.of_everything(base, settings.whole),
    ):
        assert set(schemes(archives)) == {"https"}
    assert kaist._plain(KaistSettings(allow_other_versions=True)) == ()


def test_a_download_of_another_version_is_refused(
    few: None, server: tuple[Path, str, list[str]], tmp_path: Path
) -> None:
    folder, address, _ = server
    make_kaist(folder, COUNTS, zips=True)
    raw = tmp_path / "raw" / "kaist"
    with pytest.raises(BadInput, match=r"`sources\.kaist\.allow_other_versions: true`"):
        DATASET.acquire(from_(address, allow_other_versions=False), raw)
    assert not raw.exists()
