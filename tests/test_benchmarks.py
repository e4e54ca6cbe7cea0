"""Benchmarks are run by hand; their made-up tables must be what the stages read today."""

from pathlib import Path

from benchmarks import cropping


def test_made_frames_are_cropped_as_the_stage_crops(tmp_path: Path) -> None:
    cropping.make_images(tmp_path, cropping.SMALL)
    measured = cropping.measure(tmp_path, 48, cropping.SMALL, 32)
    assert measured.cut > 0
