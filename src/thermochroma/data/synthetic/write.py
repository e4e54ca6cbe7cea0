"""Writing of one sequence in KAIST's layout, with its planted defects; nothing is drawn twice."""

import io
from pathlib import Path

import cv2
from PIL import Image

from thermochroma.base.files import whole_file, write_text
from thermochroma.base.images import write_image
from thermochroma.data.synthetic.camera import Matrix
from thermochroma.data.synthetic.drive import drive_of
from thermochroma.data.synthetic.frame import Box, Drawn, draw_frame
from thermochroma.data.synthetic.plan import Defect, Recording, frame_name

SHUTTER_LEVEL = 114  # grey level of the closed shutter
TRUNCATED_SHARE = 0.6
KEPT_DIGITS = 4  # of the five in a frame's name


def thermal_path(sequence: str, number: int) -> str:
    """Path of a thermal image in the layout, relative to the raw folder."""
    return f"images/{sequence}/lwir/I{number:05d}.jpg"


def visible_path(sequence: str, number: int) -> str:
    """Path of a visible image in the layout, relative to the raw folder."""
    return f"images/{sequence}/visible/I{number:05d}.jpg"


def write_recording(folder: Path, recording: Recording, seed: int) -> int:
    """Draw the missing frames of a sequence below `folder`; return the number of all its frames.

    Runs in a process of its own, so it uses only one core.
    """
    cv2.setNumThreads(1)
    for index in range(len(recording.numbers)):
        _write_frame(folder, recording, index, seed)
    return len(recording.numbers)


def facts_of(recording: Recording, seed: int) -> tuple[Matrix, dict[str, str]]:
    """A sequence's transform, and the facts that captions may use."""
    drive = drive_of(seed=seed, sequence=recording.name, foggy=recording.foggy)
    facts = {"place": drive.place, "time": drive.time, "weather": drive.weather}
    return drive.transform, {**facts, "season": drive.season}


def is_whole(folder: Path, recording: Recording) -> bool:
    """Whether all frames of the sequence are drawn."""
    return all(_is_there(folder, recording, index) for index in range(len(recording.numbers)))


def _paths(folder: Path, recording: Recording, index: int) -> tuple[Path, Path, Path]:
    """Paths of a frame's thermal image, visible image and annotation."""
    number = recording.numbers[index]
    visible = folder / visible_path(recording.name, number)
    if recording.defects[index] == "misnamed":
        visible = visible.with_stem(f"I{number:0{KEPT_DIGITS}d}")
    boxes = folder / "annotations" / f"{frame_name(recording.name, number)}.txt"
    return folder / thermal_path(recording.name, number), visible, boxes


def _is_there(folder: Path, recording: Recording, index: int) -> bool:
    thermal, visible, boxes = _paths(folder, recording, index)
    missing = recording.defects[index] == "missing"
    return visible.exists() and boxes.exists() and (missing or thermal.exists())


def _write_frame(folder: Path, recording: Recording, index: int, seed: int) -> None:
    if _is_there(folder, recording, index):
        return
    number, defect = recording.numbers[index], recording.defects[index]
    thermal, visible, boxes = _paths(folder, recording, index)
    source = recording.numbers[index - 1] if defect == "duplicated" else number
    drawn = draw_frame(seed=seed, sequence=recording.name, number=source, foggy=recording.foggy)
    _write_images(thermal, visible, drawn, defect)
    write_text(boxes, annotation(drawn.boxes))


def _write_images(thermal: Path, visible: Path, drawn: Drawn, defect: Defect) -> None:
    if defect == "constant":
        drawn.thermal[:] = SHUTTER_LEVEL
    if defect != "missing":
        write_image(thermal, drawn.thermal)
    if defect == "truncated":
        _write_truncated(visible, drawn)
    else:
        write_image(visible, drawn.visible)


def _write_truncated(path: Path, drawn: Drawn) -> None:
    """Write a JPEG that ends in the middle, as after an interrupted copy."""
    stream = io.BytesIO()
    Image.fromarray(drawn.visible).save(stream, "JPEG", quality=95)
    encoded = stream.getvalue()
    with whole_file(path) as part:
        part.write_bytes(encoded[: int(len(encoded) * TRUNCATED_SHARE)])


def annotation(boxes: tuple[Box, ...]) -> str:
    """Text of one annotation file: label x y w h occlusion, and six unused columns."""
    lines = [
        f"{box.label} {box.left} {box.top} {box.width} {box.height} {box.occlusion} 0 0 0 0 0 0"
        for box in boxes
    ]
    return "\n".join(["% bbGt version=3", *lines]) + "\n"
