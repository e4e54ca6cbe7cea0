"""Loading of the authors' own checkpoints into our translators by a table of names.

PyTorch state dicts, and the HDF5 files of Keras (`keras_weights.py`).

`public_names/<method>.csv` lists every entry of the public code's translator, in its order, with its
shape and the name of the same entry here; an empty name means that ours needs none, and a note says
why. So a released weight is used exactly where its authors used it, or is refused.
"""

import csv
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile, is_zipfile

from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.files import CHUNK_BYTES
from thermochroma.base.reading import reading
from thermochroma.base.stored_tensors import read_state
from thermochroma.contract.method import Translator
from thermochroma.contract.settings import Settings
from thermochroma.pretrained.keras_weights import read_keras

TABLES: Final = Path(__file__).parent / "public_names"
PUBLIC_FORM: Final[dict[str, dict[str, Any]]] = {
    "scgan": {"value_range": "unit", "norm": "per_image"},
    "tir2lab": {"norm": "row"},
}
"""Settings of the translator that the public weights need, where our defaults differ."""
COUNTERS: Final = "num_batches_tracked"
"""Name of the counters of batches: neither Keras nor PyTorch before 0.4.1 has them, and a deployed
translator does not need them."""
STATISTICS: Final = ("running_mean", "running_var", COUNTERS)
"""Names of entries that instance norms had before PyTorch 0.4; the authors' loaders now drop them."""
HDF5: Final = (".h5", ".hdf5")
NEEDED: Final = "the state dict of the public code's translator, as torch.save writes it"
REMEDY: Final = "check the path; if it holds a whole network, save its `state_dict()` alone"
PARALLEL: Final = "module."  # prefix of every name in a network wrapped for several GPUs


@dataclass(frozen=True)
class Entry:
    """One entry of the state dict of the public code's translator."""

    public: str
    shape: tuple[int, ...]
    ours: str
    """Name of this entry in our translator; "" if there is none."""
    note: str
    """Reason why ours has none."""


def methods_with_public_weights() -> list[str]:
    """Names of the methods whose public code has a table of names."""
    return sorted(path.stem for path in TABLES.glob("*.csv"))


def entries_of(method: str) -> Sequence[Entry]:
    """Read the table of one method. Raises BadInput if it has none."""
    known = methods_with_public_weights()
    if method not in known:
        raise BadInput(
            given=f"`{method}` has no table of public names",
            needed=f"one of {', '.join(known)}: methods whose authors have published code",
            remedy="train it instead",
        )
    with (TABLES / f"{method}.csv").open(encoding="utf-8", newline="") as table:
        return [
            Entry(row["public"], _shape(row["shape"]), row["ours"], row["note"])
            for row in csv.DictReader(table)
        ]


def in_public_form(settings: Settings) -> Settings:
    """Replace the translator's settings by those that the public weights need."""
    form = PUBLIC_FORM.get(settings.method, {})
    translator = settings.translator.model_copy(update=form)
    return settings.model_copy(update={"translator": translator})


def read_checkpoint(path: Path, entries: Sequence[Entry] = ()) -> dict[str, Tensor]:
    """Read the state dict in a file, names without a leading "module.".

    A file that ends in .h5 or .hdf5 is read as Keras's, see `read_keras`; it alone needs the entries,
    with which it is compared before it is read. Only tensors are read, never code. Raises BadInput if
    the file is missing or holds anything else.
    """
    if path.suffix.lower() in HDF5:
        return read_keras(path, {entry.public: entry.shape for entry in entries})
    _refuse_damaged(path)
    stored = read_state(path, needed=NEEDED, remedy=REMEDY)
    wrapped = bool(stored) and all(name.startswith(PARALLEL) for name in stored)
    return {name.removeprefix(PARALLEL) if wrapped else name: t for name, t in stored.items()}


def _refuse_damaged(path: Path) -> None:
    """Raise BadInput for an archive of PyTorch's whose checksums are wrong: `torch.load` compares none.

    A checksum of 0 is none: PyTorch can be told to compute none while it saves.
    """
    with reading(path, needed=NEEDED, remedy=REMEDY):
        if not is_zipfile(path):  # the older form, which has no checksums
            return
        with ZipFile(path) as archive:
            for entry in filter(lambda one: one.CRC, archive.infolist()):
                with archive.open(entry) as stream:
                    while stream.read(CHUNK_BYTES):
                        pass


def load_public(
    translator: Translator[Any], stored: Mapping[str, Tensor], entries: Sequence[Entry]
) -> list[str]:
    """Fill a translator of full width with the authors' weights; return the names left out.

    Left out are running statistics of norms that have none in today's public code: checkpoints from
    before PyTorch 0.4.1 hold them, or lack counters, and the authors' own loaders drop them too. So a
    checkpoint may also lack those for which ours has no place.
    Raises BadInput, with the translator unchanged, if any other entry is missing, unknown or of
    another shape.
    """
    known = {entry.public for entry in entries}
    dropped = sorted(name for name in stored.keys() - known if _is_one_of(STATISTICS, name))
    spared = {entry.public for entry in entries if _may_be_lacking(entry)}
    _refuse_other_names(stored.keys() - set(dropped), known, needed=known - spared)
    present = [entry for entry in entries if entry.public in stored]
    for entry in present:
        _refuse_other_shape(entry, stored[entry.public])
    own = translator.state_dict()
    named = {entry.ours: stored[entry.public] for entry in present if entry.ours}
    _refuse_other_form(own, named)
    counters = {name: own[name] for name in own.keys() - named.keys()}
    translator.load_state_dict(named | counters)
    return dropped


def as_public(translator: Translator[Any], entries: Sequence[Entry]) -> dict[str, Tensor]:
    """The translator's weights under the public names; entries without one here are left out."""
    own = translator.state_dict()
    return {entry.public: own[entry.ours] for entry in entries if entry.ours}


def _may_be_lacking(entry: Entry) -> bool:
    if _is_one_of((COUNTERS,), entry.public):
        return True
    return not entry.ours and _is_one_of(STATISTICS, entry.public)


def _is_one_of(lasts: Sequence[str], name: str) -> bool:
    """Whether the last part of an entry's name is one of these."""
    return name.rpartition(".")[2] in lasts


def _refuse_other_names(given: Set[str], known: Set[str], *, needed: Set[str]) -> None:
    for names, fault in ((needed - given, "lacks"), (given - known, "has the unknown")):
        if names:
            first = sorted(names)[0]
            raise BadInput(
                given=f"the checkpoint {fault} `{first}` and {len(names) - 1} other entries",
                needed=f"the {len(known)} entries of the public code's translator",
                remedy="check that method and file belong together, and that the file is no critic's",
            )


def _refuse_other_shape(entry: Entry, tensor: Tensor) -> None:
    if tuple(tensor.shape) != entry.shape:
        raise BadInput(
            given=f"`{entry.public}` has the shape {tuple(tensor.shape)}",
            needed=f"{entry.shape}, as in the public code with its published settings",
            remedy="only checkpoints of the published width can be read",
        )


def _refuse_other_form(own: Mapping[str, Tensor], named: Mapping[str, Tensor]) -> None:
    """Raise BadInput unless the translator has every public entry, in the same shape, and no more."""
    odd = [
        name for name, tensor in named.items() if name not in own or own[name].shape != tensor.shape
    ]
    odd += [name for name in own.keys() - named.keys() if not name.endswith(COUNTERS)]
    if odd:
        here = f"the shape {tuple(own[odd[0]].shape)}" if odd[0] in own else "no place"
        there = f"the shape {tuple(named[odd[0]].shape)}" if odd[0] in named else "no such entry"
        raise BadInput(
            given=f"`{odd[0]}` has {here} in this translator, and {len(odd) - 1} more entries differ",
            needed=f"{there}, as in the public code",
            remedy="build it at scale 1 and with the settings of the public code",
        )


def _shape(text: str) -> tuple[int, ...]:
    """Parse a shape such as "64x3x4x4", or "scalar"."""
    return () if text == "scalar" else tuple(int(side) for side in text.split("x"))
