"""Further rows of the table from the same weights: other captions, references, or a wish for sharpness.

The main row of a method has retrieved references, each frame's own sentence, and no sharpness.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import pandas as pd

from thermochroma.loading import caption_policies as captions
from thermochroma.loading import reference_retrieval as references
from thermochroma.loading.collate import is_tunable, needs_references, needs_text
from thermochroma.loading.crops import Crops
from thermochroma.loading.reference_retrieval import References
from thermochroma.loading.text_features import CONSTANT, EMPTY, SAME_FOR_ALL, TextTable

DRAWS: Final = 3
"""Number of draws of a random policy: each is scored, and the row shows their mean."""


@dataclass(frozen=True, eq=False)
class ExtraInputs:
    """Text and references that a translator gets beside images; None for one that it does not see.

    sharpness: 0 to 1, for a translator that asks for it. records: tables of the chosen reference or
    sentence of each frame, by the name of their file.
    """

    text: TextTable | None
    references: References | None
    sharpness: float = 0.0
    records: Mapping[str, pd.DataFrame] = field(default_factory=dict)


Draw = Callable[[ExtraInputs, Crops, pd.DataFrame], ExtraInputs]
"""Function to the text and references that a policy chooses for some rows of the manifest."""


@dataclass(frozen=True)
class OtherPolicy:
    """A further row of the table. draws: scored one by one; the row shows their mean."""

    title: str
    note: str
    """Note below the table; the rows of one kind share it."""
    draws: tuple[Draw, ...]


def own(sees: type, crops: Crops, rows: pd.DataFrame, text: TextTable | None) -> ExtraInputs:
    """Choose for the main row: own sentences, references retrieved by thermal images alone."""
    if not needs_references(sees):
        return ExtraInputs(text, None)
    return with_references(ExtraInputs(text, None), crops, rows, policy=references.retrieved)


def with_references(
    extra: ExtraInputs, crops: Crops, rows: pd.DataFrame, *, policy: references.Policy
) -> ExtraInputs:
    """Replace the references by those of a policy."""
    found = policy(crops, rows)
    records = {**extra.records, "references.csv": found.table}
    return replace(extra, references=found, records=records)


def with_captions(
    extra: ExtraInputs, crops: Crops, rows: pd.DataFrame, *, policy: captions.Policy
) -> ExtraInputs:
    """Replace each frame's sentence by the one that a policy chooses."""
    assert extra.text is not None  # an input type with text always comes with the table
    given = policy(extra.text, rows)
    table = pd.DataFrame({"frame": list(given.keys()), "sentence_of": list(given.values())})
    records = {**extra.records, "captions.csv": table}
    return replace(extra, text=extra.text.dealt(given), records=records)


def with_sharpness(
    extra: ExtraInputs, crops: Crops, rows: pd.DataFrame, *, wish: float
) -> ExtraInputs:
    """Wish for a degree of sharpness, 0 to 1."""
    return replace(extra, sharpness=wish)


def other_policies(sees: type, *, uses_text: bool = True) -> Mapping[str, OtherPolicy]:
    """Further rows of a translator, by name; none for one that sees images alone.

    uses_text: whether its output can depend on its text at all.
    """
    found: dict[str, OtherPolicy] = {}
    if needs_references(sees):
        found |= OTHER_REFERENCES
    if needs_text(sees) and uses_text:
        found |= OTHER_CAPTIONS
    if is_tunable(sees):
        found |= OTHER_SHARPNESS
    return found


NOTE_ON_REFERENCES: Final = (
    "References: a row shows what its method predicts with the training frame whose thermal image is most "
    "alike (16×16 means, cosine; of the same time of day and place where these are known); one fixed "
    f"reference: the same training frame for all, mean of {DRAWS} draws. No held-out visible "
    "image is a reference."
)
OTHER_REFERENCES: Final[Mapping[str, OtherPolicy]] = {
    "fixed": OtherPolicy(
        "one fixed reference",
        NOTE_ON_REFERENCES,
        tuple(
            partial(with_references, policy=partial(references.fixed, seed=seed))
            for seed in range(DRAWS)
        ),
    ),
    "none": OtherPolicy(
        "no reference", NOTE_ON_REFERENCES, (partial(with_references, policy=references.none),)
    ),
}

NOTE_ON_CAPTIONS: Final = (
    "Captions: a row shows what its method predicts when each image has its own sentence. Below it stand "
    "the same weights, with shuffled captions: the sentence of another scored image of the split, one "
    f"that reads differently wherever there is one, mean of {DRAWS} draws; the empty caption: nothing; the "
    f'constant caption: "{SAME_FOR_ALL[CONSTANT]}" for all. Where these rows are equal, the text adds '
    "nothing. A method that ignores its text by design has no such rows."
)
OTHER_CAPTIONS: Final[Mapping[str, OtherPolicy]] = {
    "shuffled": OtherPolicy(
        "shuffled captions",
        NOTE_ON_CAPTIONS,
        tuple(
            partial(with_captions, policy=partial(captions.shuffled, seed=seed))
            for seed in range(DRAWS)
        ),
    ),
    "empty": OtherPolicy(
        "empty caption",
        NOTE_ON_CAPTIONS,
        (partial(with_captions, policy=partial(captions.always, name=EMPTY)),),
    ),
    "constant": OtherPolicy(
        "constant caption",
        NOTE_ON_CAPTIONS,
        (partial(with_captions, policy=partial(captions.always, name=CONSTANT)),),
    ),
}

NOTE_ON_SHARPNESS: Final = (
    "Sharpness: a row shows the mean of what its method thinks likely (sharpness 0), which has the least "
    "error. Below it stand the same weights, half way and the whole way to a sharp image."
)
OTHER_SHARPNESS: Final[Mapping[str, OtherPolicy]] = {  # rising
    "half_sharp": OtherPolicy(
        "sharpness 0.5", NOTE_ON_SHARPNESS, (partial(with_sharpness, wish=0.5),)
    ),
    "sharp": OtherPolicy("sharpness 1", NOTE_ON_SHARPNESS, (partial(with_sharpness, wish=1.0),)),
}
