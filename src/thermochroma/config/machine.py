"""Settings that suit a training to a machine, or to who watches it."""

from pydantic import NonNegativeInt, PositiveInt

from thermochroma.contract.settings import Strict


class MachinesOwn(Strict):
    """Keys of a budget that do not change the translator: its bytes are the same whatever they are.

    No training is repeated when one of them changes (docs/decisions/0005).
    """

    workers: NonNegativeInt
    """Processes that load images; 0 loads in the training process."""
    checkpoint_every_images: PositiveInt
    validation_images: PositiveInt
    """Held-out frames, evenly spread, on which readings are taken during training."""
