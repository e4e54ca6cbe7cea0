"""Settings of the registration."""

from typing import Annotated

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, StringConstraints

from thermochroma.contract.settings import Strict


class RegisterSettings(Strict):
    """How thermal is laid onto visible."""

    sample_frames: PositiveInt
    held_out_frames: NonNegativeInt
    gain_still: PositiveFloat
    gain_mount: PositiveFloat
    matcher: Annotated[str, StringConstraints(pattern=r"^[\w.]+:\w+$")] | None
