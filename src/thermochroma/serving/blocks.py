"""Blocks of params.yaml, by the names that a user types."""

from thermochroma.base.errors import BadInput
from thermochroma.config.params import Params
from thermochroma.contract.settings import Settings


def settings_in(params: Params, block: str) -> Settings:
    """Find the settings of a block. Raises BadInput for a name that is none."""
    if block not in params.methods:
        raise BadInput(
            given=f"`{block}` is no block under `methods` in params.yaml",
            needed=f"one of {', '.join(params.methods)}",
            remedy="correct the name",
        )
    return params.method(block)
