"""Settings of the evaluation on one data set."""

from pydantic import PositiveInt

from thermochroma.contract.settings import Strict


class EvaluateSettings(Strict):
    """Settings of the scores on one data set."""

    batch_size: PositiveInt
    frames_per_sequence: PositiveInt | None
    video_pairs: PositiveInt | None
    """Pairs of neighbouring frames a test sequence, whose flicker is read; None takes all."""
    panel_frames: PositiveInt
    gallery_frames: PositiveInt | None
    """Scored test frames, evenly spread, whose predictions every row keeps for the page; None: all."""
    timing_rounds: PositiveInt
