"""A small byte-pair vocabulary for the random stand-in of CLIP's tokenizer.

Its words are common in captions of road scenes; other words are spelt in bytes, so that no sentence is
refused. The merges are computed when needed, the same on every machine.
"""

from collections import Counter
from itertools import pairwise
from typing import Final

END: Final = "</w>"
SPECIAL: Final = ("<|startoftext|>", "<|endoftext|>")
LEXICON: Final = (
    "a an and at above air along apartment area asphalt autumn avenue background backs bank "
    "bare barrier bench bicycle block bollards branches bridge brick building buildings bus "
    "bushes by camera campus canopy car cars carriageway centre clear close clouds clouded "
    "cloudy cold concrete cool corner covered crossing crosswalk crowd cyclist cyclists dark "
    "dawn day daytime dense distance distant double downtown driveway driving dusk edge empty "
    "entrance evening facade facades far fence few field flat floor foreground from front "
    "garage garden gate glass grass ground group guard hedge high hill hot house houses image "
    "in infrared junction kerb lamp lane lanes large lawn leaves left light lights line long "
    "lorry low lot many markings metal middle morning motorcycle motorway mountains moving "
    "narrow near next night nighttime no none not number of office on one open or overcast "
    "park parked parking pavement pedestrian pedestrians people person picture pole poles "
    "post rails railing right river road roads roof roofs row rows scene school season sensor "
    "seen several shadow shadows shed sheds shelter shop shops side sidewalk sign signs "
    "single sky small some spring square stadium station stop street streets summer sun "
    "surface tall temperature the thermal three to tower town traffic trees truck trucks "
    "tunnel two under university urban van vans vegetation vehicle vehicles vents view wall "
    "walls warm weather wet wheels wide window windows winter wires with wood yard"
)


def merges_of() -> list[tuple[str, str]]:
    """Byte-pair merges (Sennrich et al., 2016): the most frequent first, until words are whole.

    Ties go to the pair that is first in the alphabet, so that the result is deterministic.
    """
    spelt = [[*word[:-1], word[-1] + END] for word in LEXICON.split()]
    merges = []
    while pairs := Counter(pair for word in spelt for pair in pairwise(word)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelt = [_merged(word, best) for word in spelt]
    return merges


def vocabulary_of(merges: list[tuple[str, str]]) -> dict[str, int]:
    """Numbers of the tokens: bytes, bytes at a word's end, merges, the two special tokens, as in CLIP."""
    letters = _byte_letters()
    joined = dict.fromkeys(first + second for first, second in merges)
    tokens = [*letters, *(letter + END for letter in letters), *joined, *SPECIAL]
    return {token: number for number, token in enumerate(tokens)}


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for piece in word:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _byte_letters() -> list[str]:
    """One printable letter for each of the 256 bytes, as byte-level tokenizers write them."""
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())
