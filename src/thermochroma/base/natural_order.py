"""Natural order of names: 2 before 10."""

import re


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Key for natural sorting: 2 before 10."""
    return tuple((text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d*)", name))
