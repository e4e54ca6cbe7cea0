"""A network that describes thermal images: BLIP or Florence-2, from a local folder.

Its input is the thermal crop alone. Such networks were trained on photographs: they describe a thermal
image as a black-and-white photo, and they guess colours. `clause_of` removes these words by fixed rules;
if the linter finds more in the rest, the sentence is refused, not repaired.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import torch

from thermochroma.base.errors import BadInput
from thermochroma.base.images import ThermalImage
from thermochroma.base.reading import reading
from thermochroma.data.captioning.leak_linter import COLOUR

CLASSES: Final = {
    "blip": "BlipForConditionalGeneration",
    "florence2": "Florence2ForConditionalGeneration",
}
"""Kinds of model, by their name in `config.json`, and their classes in transformers."""
VOCABULARIES: Final = ("tokenizer.json", "vocab.txt", "vocab.json")
TASK: Final = "<CAPTION>"  # asks Florence-2 for one short sentence
MOST_TOKENS: Final = 40
NEEDED: Final = (
    "`caption.captioner` names a folder with a BLIP or Florence-2 model as transformers saves it (for "
    "example Salesforce/blip-image-captioning-base, or florence-community/Florence-2-base)"
)
REMEDY: Final = "place one there, or choose another `caption.profile`"

_LOOK: Final = (
    r"(?:black[ -]and[ -]white|monochrome|gr[ae]y[ -]?scale|thermal|infrared|night[ -]vision)"
)
_PICTURE: Final = r"(?:photo(?:graph)?|picture|image|view|shot|footage|still|scene)"
_HEAD: Final = re.compile(
    rf"(?:the {_PICTURE} (?:is|shows|depicts) )?"
    rf"(?:an? )?(?:old |blurry |aerial )?(?:{_LOOK},? )*{_PICTURE} (?:of|shows|with) |"
    rf"the {_PICTURE} (?:is|shows|depicts) |there (?:is|are) |arafed ",
)
_TAIL: Final = re.compile(rf",? (?:(?:shown|seen|taken) )?in (?:{_LOOK}|gr[ae]y)\b")
_SHADE: Final = rf"(?:(?:light )?{COLOUR}|dark|bright|pale|vivid)"
_PAINT: Final = re.compile(
    rf"\b(?:an? )?{_SHADE}(?:(?:,? and |, | |-){_SHADE})* "
    r"(?!(?:and|or|on|in|at|of|is|are|with|by|to|from)\b)(?=\w)",
)


class Captioner:
    """A network with its processor. Deterministic: equal images get equal clauses."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Load both from `folder`, without internet access.

        Raises BadInput if the folder lacks a file, or holds no model of one of the kinds in CLASSES.
        """
        # the library takes seconds to import, and only this profile needs it
        import transformers

        if not folder.is_dir():
            _refuse(f"{folder} is no folder")
        if not any((folder / name).is_file() for name in VOCABULARIES):
            # without one the library would make an empty tokenizer, silently
            _refuse(f"{folder} has none of {', '.join(VOCABULARIES)}")
        with reading(folder, needed=NEEDED, remedy=REMEDY):
            kind = transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type
            if kind not in CLASSES:
                _refuse(f"{folder} holds a model of the kind `{kind}`")
            self.processor: Any = transformers.AutoProcessor.from_pretrained(
                folder, local_files_only=True
            )
            model, report = getattr(transformers, CLASSES[kind]).from_pretrained(
                folder, local_files_only=True, output_loading_info=True, dtype=torch.float32
            )
        if not (
            hasattr(self.processor, "image_processor") and hasattr(self.processor, "tokenizer")
        ):
            _refuse(f"{folder} lacks the settings of its processor or its tokenizer")
        if missing := sorted(report["missing_keys"]):
            _refuse(f"the weights in {folder} lack {', '.join(map(str, missing[:4]))}")
        self.prompt = TASK if kind == "florence2" else None
        self.device = device
        self.model: Any = model.eval().requires_grad_(False).to(device)

    @torch.no_grad()
    def say(self, images: Sequence[ThermalImage]) -> list[str]:
        """Describe each image by one clause, in order, cut by `clause_of`."""
        shown = [np.repeat(image[..., None], 3, axis=-1) for image in images]
        asked = {"text": [self.prompt] * len(shown)} if self.prompt else {}
        inputs = self.processor(images=shown, return_tensors="pt", **asked).to(self.device)
        tokens = self.model.generate(
            **inputs, max_new_tokens=MOST_TOKENS, do_sample=False, num_beams=1
        )
        texts = self.processor.batch_decode(tokens, skip_special_tokens=True)
        return [clause_of(text) for text in texts]


def clause_of(text: str) -> str:
    """Remove the words that a captioner uses for every thermal image; "" if nothing is left.

    The result is in lower case, without full stops at the end. Removed are: words about the image
    itself at the front ("a black and white photo of", "there is", "the image shows") and at the end
    ("in black and white"), and colours before a noun ("a white truck" becomes "a truck").
    """
    clause = " ".join(text.lower().split()).rstrip(" .")
    while found := _HEAD.match(f"{clause} "):
        clause = clause[found.end() :]
    return _PAINT.sub(_article, _TAIL.sub("", clause)).strip(" ,")


def _article(found: re.Match[str]) -> str:
    """Article that fits the word after the removed colour."""
    if not found.group().startswith(("a ", "an ")):
        return ""
    return "an " if found.string[found.end()] in "aeiou" else "a "


def _refuse(given: str) -> NoReturn:
    raise BadInput(
        given=given,
        needed=NEEDED,
        remedy=REMEDY,
    )
