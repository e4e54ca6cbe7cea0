"""Mutants of a block: each with one weight changed, or with nothing learnt. Golden values must differ.

Nothing is played again: gradients are linear in the weights, so that the pulls follow from the slopes
through the trainer's own `weigh`. What else a changed weight would change is left as it was found.
"""

from tests.golden import Reading, Values, distances


def mutants(reading: Reading) -> dict[str, Values]:
    """By name, the values that each mutant would give."""
    found = reading.weighed(reading.weights)
    changed = {
        f"{name} {weight:g} -> {other:g}": reading.weighed({**reading.weights, name: other})
        for name, weight in reading.weights.items()
        for other in ((2 * weight, 0.0) if weight else (1.0,))
    }
    still = {name: 0.0 if name.startswith("image/") else found[name] for name in found}
    return changed | {"nothing learnt": still}


def count(reading: Reading) -> int:
    """How many there are."""
    return len(mutants(reading))


def escaped(block: str, reading: Reading, stored: Values) -> list[str]:
    """The mutants whose values pass for those that are stored."""
    return [
        name
        for name, values in mutants(reading).items()
        if max(distances(block, values, stored).values()) <= 1
    ]
