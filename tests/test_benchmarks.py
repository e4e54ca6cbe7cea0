"""Benchmarks are run by hand; their made-up tables must be what the stages read today."""

from pathlib import Path

from benchmarks import cropping, latency
from tests.examiner import PARAMS


def test_made_frames_are_cropped_as_the_stage_crops(tmp_path: Path) -> None:
    cropping.make_images(tmp_path, cropping.SMALL)
    measured = cropping.measure(tmp_path, 48, cropping.SMALL, 32)
    assert measured.cut > 0


def test_every_method_in_the_table_of_latencies_predicts_an_image_of_the_asked_size() -> None:
    for block in ("thermochroma_small", "cmmf_net"):
        cost = latency.measure(PARAMS, latency.Case(block, 40, 34, threads=1))
        assert len(cost.milliseconds) == latency.TIMED
