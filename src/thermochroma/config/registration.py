"""Settings of the registration."""

from typing import Annotated

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, StringConstraints

from thermochroma.contract.settings import Strict


class RegisterSettings(Strict):
    """Settings of the estimate of how thermal maps onto visible."""

    sample_frames: PositiveInt
    held_out_frames: NonNegativeInt
    gain_still: PositiveFloat
    gain_mount: PositiveFloat
    matcher: Annotated[str, StringConstraints(pattern=r"^[\w.]+:\w+$")] | None
