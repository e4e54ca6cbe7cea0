"""Data sets made on the spot, in the layout, number and defects of the real ones; not their content.

The images are simple: coloured panels, whose warmth has nothing to do with their colour, so that
only outlines are shared and registration has something to find. A sequence is a slow drive past
them; its files come from a small pool of encoded images, each made unique by a comment inside, so
that 95,328 pairs are written in a minute or two.

    python -m tests.made_data kaist FOLDER --frames-scale 1.0 --zips
    python -m tests.made_data irvi FOLDER --frames-scale 0.1
"""

import io
import json
import zipfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
import scipy.io
from PIL import Image
from tqdm import tqdm

Write = Callable[[str, bytes], object]
Pair = tuple[np.ndarray, np.ndarray]

WINDOWS = {  # fewest frames of each sequence (most: 9 more, 19 in the sets from 06, V004 of set02)
    "set00": (2241, 2791, 2501, 1631, 2071, 1531, 1091, 1591, 1991),
    "set01": (2251, 1151, 1401, 1261, 1651, 301),
    "set02": (1901, 1861, 1391, 991, 1691),
    "set03": (4700, 1900),
    "set04": (3900, 3250),
    "set05": (2900,),
    "set06": (1520, 2680, 1680, 4280, 2800),
    "set07": (2540, 4000, 1580),
    "set08": (2560, 2960, 2500),
    "set09": (3480,),
    "set10": (4800, 4050),
    "set11": (2000, 1520),
}
TOTALS = {
    **{"set00": 17498, "set01": 8035, "set02": 7866, "set03": 6668, "set04": 7200, "set05": 2920},
    **{"set06": 12988, "set07": 8141, "set08": 8050, "set09": 3500, "set10": 8902, "set11": 3560},
}
DAY = ("set00", "set01", "set02", "set06", "set07", "set08")
DEFECTS = (
    *("missing lwir", "missing visible", "truncated", "constant", "duplicated", "frozen"),
    *("misnamed", "sizes", "grey", "small"),
)
FROZEN_RUN = 4  # frames that repeat the image before them, in files that differ
POOL = 12


@dataclass(frozen=True)
class Planted:
    """A defect and the frame that has it; a frozen run has one entry for each of its frames."""

    frame: str
    kind: str


@dataclass(frozen=True)
class Made:
    """What was made: frames a sequence, planted defects, and thermal less visible place in pixels."""

    counts: Mapping[str, int]
    planted: Sequence[Planted] = ()
    shifts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def kaist_counts(scale: float = 1.0) -> dict[str, int]:
    """Frames a sequence: within the known windows, and with the published sum of each set."""
    counts = {}
    for name, least in WINDOWS.items():
        more, rest = divmod(TOTALS[name] - sum(least), len(least))
        for number, fewest in enumerate(least):
            full = fewest + more + (number < rest)
            counts[f"{name}/V{number:03d}"] = max(3, round(full * scale))
    return counts


def make_kaist(
    root: Path,
    counts: Mapping[str, int],
    *,
    size: tuple[int, int] = (80, 64),  # width, height
    defects: int = 0,  # of each kind, as far as there is room
    zips: bool = False,
    annotations: bool = True,
) -> Made:
    """Write a KAIST below `root`: unpacked, or as the zips that its server holds."""
    plan = _plan(counts, defects)
    shifts = {}
    bar = tqdm(total=sum(counts.values()), desc="making KAIST", unit="frame", disable=None)
    for sequence, count in counts.items():
        rng = np.random.default_rng(list(sequence.encode()))
        shifts[sequence] = (shift := _shift(rng, size))
        pool = [_encoded(pair) for pair in scene(rng, POOL, size, shift=shift)]
        archive = root / f"images/{sequence.replace('/', '_')}.zip"
        with _writer(archive if zips else root / "images") as write:
            _write_sequence(write, sequence, count, pool, plan, size)
        bar.update(count)
    if annotations:
        _write_annotations(root, counts, zips)
    planted = [Planted(frame, kind) for frame, kind in plan.items()]
    return Made(dict(counts), planted, shifts)


def make_irvi(
    root: Path,
    counts: Mapping[str, int],  # {"traffic/train": 60, "monitoring/sub-1/test": 12}: frames
    *,
    size: int = 64,
    strips: bool = True,  # training images are three frames side by side
    stride: int = 1,  # frames from strip to strip; below 3 they overlap
    suffix: str = ".png",
    shuffled: bool = False,  # the visible images' order has nothing to do with the thermal one's
) -> Made:
    """Write an IRVI below `root`, in folders <subset>[/<scene>]/{trainA,trainB,testA,testB}."""
    for group, count in tqdm(counts.items(), desc="making IRVI", unit="group", disable=None):
        place, part = group.rsplit("/", 1)
        rng = np.random.default_rng(list(place.encode()))  # both parts of a scene show one place
        still = group.startswith("monitoring")
        images = list(scene(rng, count, (size, size), still=still, skip=37 * (part == "test")))
        if strips and part == "train":
            starts = range(0, count - 2, stride)
            images = [_side_by_side(images[start : start + 3]) for start in starts]
        order = rng.permutation(len(images)) if shuffled else range(len(images))
        for number, other in enumerate(order):
            for letter, image in (("A", images[number][0]), ("B", images[other][1])):
                path = root / place / f"{part}{letter}" / f"{number:06d}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(path, quality=95, compress_level=1)
    return Made(dict(counts))


def make_msrs(root: Path, count: int, *, size: tuple[int, int] = (80, 60)) -> None:
    """Write the first `count` pairs of an MSRS: by day, every fourth for testing."""
    rng = np.random.default_rng(0)
    for number, pair in enumerate(scene(rng, count, size), start=1):
        part = "test" if number % 4 == 0 else "train"
        for kind, image in zip(("ir", "vi"), pair, strict=True):
            path = root / part / kind / f"{number:05d}D.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)


def scene(
    rng: np.random.Generator,
    frames: int,
    size: tuple[int, int],
    *,
    still: bool = False,  # the camera stands, and small things pass
    shift: tuple[int, int] = (0, 0),  # of the thermal image, in pixels
    skip: int = 0,  # frames that pass before the first
) -> Iterator[Pair]:
    """Pairs of one place: thermal (h, w) and visible (h, w, 3), whose outlines agree."""
    width, height = size
    step = max(2, width // 24)
    long = width + 16 + (0 if still else step * (frames + skip))
    thermal, visible = _panels(rng, long, height + 16)
    for number in range(skip, skip + frames):
        left = 8 + (0 if still else step * number)
        warm, seen = thermal.copy() if still else thermal, visible.copy() if still else visible
        if still:
            _passer_by(warm, seen, number * step)
        dx, dy = shift
        yield (
            _noisy(rng, warm[8 - dy : 8 - dy + height, left - dx : left - dx + width]),
            _noisy(rng, seen[8 : 8 + height, left : left + width]),
        )


def _panels(rng: np.random.Generator, width: int, height: int) -> Pair:
    thermal = np.full((height, width), 120, np.uint8)
    visible = np.full((height, width, 3), 120, np.uint8)
    for _ in range(width // 3):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        corner = x + int(rng.integers(6, 30)), y + int(rng.integers(6, 30))
        cv2.rectangle(thermal, (x, y), corner, int(rng.integers(30, 220)), -1)
        cv2.rectangle(visible, (x, y), corner, rng.integers(20, 240, 3).tolist(), -1)
    return thermal, visible


def _passer_by(thermal: np.ndarray, visible: np.ndarray, along: int) -> None:
    """Warm and red; it leaves at the right and comes back at the left."""
    height, width = thermal.shape
    x, y = along % width, height // 3 + along // width * 7 % (height // 3)
    corner = x + width // 5, y + height // 3
    cv2.rectangle(thermal, (x, y), corner, 250, -1)
    cv2.rectangle(visible, (x, y), corner, (200, 30, 20), -1)


def _noisy(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    noise = rng.integers(-3, 4, image.shape)
    return np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8)


def _side_by_side(pairs: Sequence[Pair]) -> Pair:
    return np.hstack([pair[0] for pair in pairs]), np.hstack([pair[1] for pair in pairs])


def _shift(rng: np.random.Generator, size: tuple[int, int]) -> tuple[int, int]:
    """Up to 1.5 % of the width, as in the real set."""
    most = max(1, min(7, round(size[0] * 0.015)))
    return int(rng.integers(-most, most + 1)), int(rng.integers(-most, most + 1))


def _encoded(pair: Pair) -> tuple[bytes, bytes]:
    return _jpeg(pair[0]), _jpeg(pair[1])


def _jpeg(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _unique(encoded: bytes, remark: str) -> bytes:
    """The same image in other bytes: a comment after the two that begin every JPEG."""
    comment = remark.encode()
    return encoded[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + encoded[2:]


def _plan(counts: Mapping[str, int], defects: int) -> dict[str, str]:
    """Defect by frame: each lies in a sequence by day, with sound frames around it."""
    roomy = [name for name in counts if name.split("/")[0] in DAY and counts[name] >= 24]
    plan: dict[str, str] = {}
    for number, kind in enumerate(DEFECTS * defects):
        if not roomy:
            break
        sequence, lap = roomy[number % len(roomy)], number // len(roomy)
        first = 2 + lap * (FROZEN_RUN + 3)
        run = FROZEN_RUN if kind == "frozen" else 1
        if first + run < counts[sequence]:
            plan |= {f"{sequence}/I{first + n:05d}": kind for n in range(run)}
    return plan


def _write_sequence(
    write: Write,
    sequence: str,
    count: int,
    pool: Sequence[tuple[bytes, bytes]],
    plan: Mapping[str, str],
    size: tuple[int, int],
) -> None:
    shown, before = 0, (b"", b"")
    for number in range(count):
        name = f"{sequence}/I{number:05d}"
        kind = plan.get(name, "")
        shown += kind != "frozen"
        pair = tuple(_unique(each, name) for each in pool[shown % len(pool)])
        thermal, visible = before if kind == "duplicated" else _spoilt(kind, pair, name, size)
        before = thermal, visible
        if kind != "missing lwir":
            write(f"{sequence}/lwir/I{number:05d}.jpg", thermal)
        if kind != "missing visible":
            digits = 4 if kind == "misnamed" else 5
            write(f"{sequence}/visible/I{number:0{digits}d}.jpg", visible)


def _spoilt(
    kind: str, pair: tuple[bytes, ...], name: str, size: tuple[int, int]
) -> tuple[bytes, bytes]:
    thermal, visible = pair
    less = size[0] // 2, size[1] // 2
    if kind == "truncated":
        visible = visible[: int(len(visible) * 0.6)]
    if kind == "constant":
        thermal = _unique(_jpeg(np.full((size[1], size[0]), 114, np.uint8)), name)
    if kind == "grey":
        visible = thermal
    if kind in ("sizes", "small"):
        visible = _jpeg(cv2.resize(np.asarray(Image.open(io.BytesIO(visible))), less))
    if kind == "small":
        thermal = _jpeg(cv2.resize(np.asarray(Image.open(io.BytesIO(thermal))), less))
    return thermal, visible


@contextmanager
def _writer(place: Path) -> Iterator[Write]:
    """Write members of a zip, stored as they are, or files of a folder."""
    if place.suffix == ".zip":
        place.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(place, "w") as archive:
            yield archive.writestr
        return
    folders: set[Path] = set()

    def write(name: str, content: bytes) -> None:
        path = place / name
        if path.parent not in folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            folders.add(path.parent)
        path.write_bytes(content)

    yield write


def boxes_of(number: int) -> list[tuple[str, int, int, int, int]]:
    """Label, left, top, width, height of the objects of a sequence's frame `number`."""
    labels = ("person", "people", "cyclist", "person?")
    return [(labels[n], 5 + n, 6 + number % 9, 7, 20) for n in range(number % 5)]


def _write_annotations(root: Path, counts: Mapping[str, int], zips: bool) -> None:
    """Text, MATLAB files, and the lists of names with the extra blank that the real ones have."""
    with (
        _writer(root / ("annotations.zip" if zips else "annotations")) as write,
        _writer(root / ("annotations-vbb.zip" if zips else "annotations-vbb")) as write_vbb,
    ):
        for sequence, count in counts.items():
            write_vbb(f"{sequence}.vbb", vbb([boxes_of(number) for number in range(count)]))
            for number in range(count):
                write(f"{sequence}/I{number:05d}.txt", _text(number))
    with _writer(root / ("imageSets.zip" if zips else "imageSets")) as write:
        for name, lines in _lists(counts).items():
            write(f"{name}.txt", "".join(f"{line} \n" for line in lines).encode())


def _text(number: int) -> bytes:
    lines = [" ".join(map(str, (*box, *[0] * 7))) for box in boxes_of(number)]
    return "\n".join(["% bbGt version=3", *lines, ""]).encode()


def _lists(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Every twentieth frame, from I00019 on."""
    lists: dict[str, list[str]] = {}
    for sequence, count in counts.items():
        name = sequence.split("/")[0]
        split, time = "train" if name < "set06" else "test", "day" if name in DAY else "night"
        frames = [f"{sequence}/I{number:05d}" for number in range(19, count, 20)]
        for key in (f"{split}-all-20", f"{split}-{time}-20"):
            lists.setdefault(key, []).extend(frames)
    return lists


def vbb(frames: Sequence[Sequence[tuple[str, int, int, int, int]]]) -> bytes:
    """A MATLAB file as the labelling tool writes it: labels by object, boxes by frame."""
    labels = sorted({box[0] for boxes in frames for box in boxes})
    kinds = [(name, object) for name in ("id", "pos", "occl", "lock", "posv")]
    lists = np.empty((1, len(frames)), object)
    for number, boxes in enumerate(frames):
        objects = np.empty((1, len(boxes)), kinds)
        for place, (label, *box) in enumerate(boxes):
            values = (labels.index(label) + 1.0, np.array([box], float), 0.0, 0.0, np.zeros((1, 4)))
            objects[0, place] = tuple(np.atleast_2d(value) for value in values)
        lists[0, number] = objects if boxes else np.zeros((0, 0))
    names = np.empty((1, len(labels)), object)
    names[0, :] = labels
    stream = io.BytesIO()
    content = {"nFrame": float(len(frames)), "objLists": lists, "objLbl": names}
    scipy.io.savemat(stream, {"A": content}, do_compression=True)
    return stream.getvalue()


def irvi_counts(scale: float = 1.0) -> dict[str, int]:
    """Frames of each group, in the published proportions."""
    train, test = (1384, 1040, 1232, 672, 752), (347, 260, 308, 169, 188)
    counts = {"traffic/train": 17000, "traffic/test": 1000}
    for number in range(5):
        counts[f"monitoring/sub-{number + 1}/train"] = train[number]
        counts[f"monitoring/sub-{number + 1}/test"] = test[number]
    return {group: max(3, round(count * scale)) for group, count in counts.items()}


def main() -> None:
    """Make one data set, with `<folder>.made.json` beside it, which says what it holds."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("dataset", choices=["kaist", "irvi"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames-scale", type=float, default=1.0)
    parser.add_argument("--size", type=int, nargs=2, default=(80, 64), help="width and height")
    parser.add_argument("--defects", type=int, default=1, help="of each kind, for kaist")
    parser.add_argument("--zips", action="store_true", help="for kaist: as the server has them")
    parser.add_argument("--sets", nargs="*", default=list(TOTALS), help="for kaist")
    given = parser.parse_args()
    if given.dataset == "irvi":
        made = make_irvi(given.folder, irvi_counts(given.frames_scale), size=given.size[0])
    else:
        counts = kaist_counts(given.frames_scale)
        counts = {name: n for name, n in counts.items() if name.split("/")[0] in given.sets}
        made = make_kaist(
            given.folder, counts, size=given.size, defects=given.defects, zips=given.zips
        )
    text = json.dumps(asdict(made), indent=1)
    given.folder.with_name(f"{given.folder.name}.made.json").write_text(text)


if __name__ == "__main__":
    main()
