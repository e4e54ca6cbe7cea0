"""Traits of a translator that a caller must know, whichever library computes it. Needs none of them."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Traits:
    """Form of a translator's input.

    title: in sentences and tables. inputs: names of what it takes, fields of a type of `batch.py`.
    sides_multiple_of, least_side: of the heights and widths that it accepts, in pixels, as in `Method`.
    sentence: the one that is built in; None if it is given another each time, or sees none.
    """

    title: str
    inputs: tuple[str, ...]
    sides_multiple_of: int
    least_side: int
    sentence: str | None = None

    @classmethod
    def of(cls, sees: type, *, title: str, sides_multiple_of: int, least_side: int) -> "Traits":
        """Traits of a translator that sees the type `sees`."""
        inputs = tuple(field.name for field in fields(sees))
        return cls(title, inputs, sides_multiple_of, least_side)

    @property
    def spectrum(self) -> str:
        """Spectrum of the input: "thermal" or "visible"."""
        return "visible" if "visible" in self.inputs else "thermal"

    @property
    def sees_text(self) -> bool:
        """Whether it takes the features of a sentence."""
        return "text" in self.inputs

    @property
    def sees_references(self) -> bool:
        """Whether it takes a visible image to take colours from."""
        return "reference" in self.inputs

    @property
    def is_tunable(self) -> bool:
        """Whether it takes a degree of sharpness."""
        return "sharpness" in self.inputs

    def side_for(self, side: int) -> int:
        """The shortest side that it accepts and that is no shorter than `side`, in pixels."""
        multiple = self.sides_multiple_of
        return -(-max(side, self.least_side) // multiple) * multiple
