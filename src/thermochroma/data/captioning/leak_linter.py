"""Words that a caption must not contain, since only the visible image can justify them.

A caption with colours would leak the target to the network through the text. The list is strict:
a harmless sentence that it refuses can be reworded, but a leak would stay unnoticed.
"""

import re
from typing import Final

from thermochroma.base.errors import BadInput

MOST_WORDS: Final = 40  # about 60 tokens: CLIP reads 77

COLOUR: Final = (
    r"(?:dark|light|pale|deep|bright|off)?-?"
    r"(?:redd?|green|blue?|yellow|whit(?:e|en)?|black|gr[ae]y|orange|brown|pink|purple?|violet|"
    r"silver|gold(?:en)?|beige|cyan|magenta|turquoise|teal|maroon|crimson|scarlet|burgundy|navy|azure|"
    r"indigo|lilac|lavender|mauve|olive|lime|khaki|tann?|ochre|amber|ivory|cream|charcoal|blonde?|brunette|"
    r"auburn|ros[ey]|sepia)"
    r"(?:e?s|e?d|en|ened|ing|-?ish|e?r|e?st|y|ness|ly)?"
)
"""Pattern of one word for a colour, in any of its forms; to be put between word boundaries."""
BRIGHTNESS: Final = (
    r"(?:bright|dark)(?:er|est|ly|ness|en|ens|ened|ening)?|pale(?:r|st|ly|ness)?|vivid(?:ly|ness)?|"
    r"dim(?:ly|mer|med|ness)?|gloom(?:y|ier)?|murk(?:y|ier)?|lumin\w+|glow\w*|glar(?:e|es|ing)|"
    r"gleam\w*|shin(?:e|es|y|ing)|gloss\w*"
)
LIGHTS: Final = (
    r"(?:traffic|tail|rear|brake|head|stop|fog|flood|spot|street|warning|indicator|hazard|flash|turn)"
    r"[ -]?(?:lights?|lamps?)|lights|(?:street|tail|head)?lamps?|lamp[ -]?(?:lights?|posts?)|"
    r"signals?|signal+ing|(?:un)?lit|illuminat\w+|neon|lanterns?|beacons?"
)
WEATHER: Final = (
    r"(?:clear|clouded|cloudless|fair) (?:sk(?:y|ies)|weather|days?|nights?)|overcast|"
    r"cloud(?:s|y|ed|iness|less)?|sun(?:s|ny|nier|lit|light|shine)?|rain(?:s|y|ing|ed|fall|drops?)?|"
    r"drizzl(?:e|y|ing)|snow(?:s|y|ing|ed|fall|[ -]?covered)?|sleet|hail|frost(?:y|ed)?|icy|"
    r"fog(?:s|gy)?|mist(?:s|y)?|haz(?:e|y)|smog(?:gy)?|storm(?:s|y)?|thunder\w*|lightning|wet|"
    r"windy|weather"
)

TELLS_COLOUR: Final = re.compile(
    rf"\b(?:{COLOUR}|\w*colou?r\w*|hues?|tint(?:s|ed)?|tinge[ds]?|\w*chrom(?:e|atic)|"
    rf"gr[ae]y[ -]?scale|{BRIGHTNESS}|{LIGHTS})\b",
    re.IGNORECASE,
)
TELLS_WEATHER: Final = re.compile(rf"\b(?:{WEATHER})\b", re.IGNORECASE)


def refuse_colour_words(text: str, *, where: str) -> None:
    """Raise BadInput for a sentence that mentions colours, brightness or lamps, or is too long."""
    if found := TELLS_COLOUR.search(text):
        raise _refusal(text, found.group(), where)
    if len(text.split()) > MOST_WORDS:
        raise BadInput(
            given=f"{where} has {len(text.split())} words",
            needed=f"at most {MOST_WORDS}, since the text encoder reads 77 tokens",
            remedy="shorten it",
        )


def refuse_weather(text: str, *, where: str, known: str) -> None:
    """Raise BadInput for words on weather that are not in `known`, the data set's own words."""
    for found in TELLS_WEATHER.finditer(text):
        if not re.search(rf"\b{re.escape(found.group())}\b", known, re.IGNORECASE):
            raise _refusal(text, found.group(), where)


def _refusal(text: str, word: str, where: str) -> BadInput:
    return BadInput(
        given=f"{where} says `{word}`: {text!r}",
        needed="captions mention no colours, lights or weather that only the visible image shows",
        remedy="reword it",
    )
