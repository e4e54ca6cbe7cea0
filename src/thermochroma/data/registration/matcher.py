"""User-defined matcher: a function that finds corresponding points in the two images of a pair.

It is named in params.yaml, not built in: learned matchers bring weights, licences and dependencies
that registration does not need. Its result is one more candidate, scored like the others.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np

from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.candidates import agreed
from thermochroma.data.registration.features import Grey
from thermochroma.data.registration.geometry import Points

Matcher: TypeAlias = Callable[[Grey, Grey], tuple[Any, Any]]
"""Function (thermal, visible), both in grey levels 0 to 255 and of one size, to points (x, y) in the
visible image and, row by row, the same points in the thermal one: two arrays of shape n 2."""

WITHIN: Final = 3.0  # pixels at the working size, to which points must agree on a similarity


@lru_cache
def load_matcher(name: str) -> Matcher:
    """Import the function "module:function". Raises BadInput if there is none."""
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as problem:
        raise _unusable(name, f"cannot be imported ({problem})") from problem
    if not callable(found):
        raise _unusable(name, "is no function")
    return found


def by_matcher(matcher: Matcher, thermal: Grey, visible: Grey) -> Matrix | None:
    """Fit the similarity, visible to thermal, on which most matched points agree; None if few do.

    Raises BadInput if the matcher returns anything but two arrays of finite numbers, n by 2.
    """
    return agreed(*_checked(matcher(thermal, visible)), within=WITHIN)


def _checked(found: object) -> tuple[Points, Points]:
    """Check the matcher's result: points of the visible and of the thermal image."""
    if not isinstance(found, tuple) or len(found) != 2:
        raise _returned(type(found).__name__)
    try:
        here, there = (np.asarray(points, np.float64) for points in found)
    except (TypeError, ValueError) as problem:
        raise _returned(f"values that are no array of numbers ({problem})") from problem
    if here.shape != there.shape or here.ndim != 2 or here.shape[1] != 2:
        raise _returned(f"arrays of the shapes {here.shape} and {there.shape}")
    if not (np.isfinite(here).all() and np.isfinite(there).all()):
        raise _returned("points that are not finite")
    return here, there


def _unusable(name: str, fault: str) -> BadInput:
    return BadInput(
        given=f"`{name}` under `registration.matcher` in params.yaml {fault}",
        needed="`module:function`, in a module that Python can import from the project's folder",
        remedy="correct the name, or set it to null; see docs/how-to/plug-in-a-matcher.md",
    )


def _returned(what: str) -> BadInput:
    return BadInput(
        given=f"the function under `registration.matcher` in params.yaml returned {what}",
        needed="(points in the visible image, the same points in the thermal one), each n by 2",
        remedy="correct the function; see docs/how-to/plug-in-a-matcher.md",
    )
