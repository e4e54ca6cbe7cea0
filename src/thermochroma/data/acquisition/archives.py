"""Acquire a data set that is published as several archives, one archive at a time, into `raw`.

Each archive gives one folder, which appears below `raw` whole or not at all. So a killed run continues
with the next archive, and the folders of a run that ends early can be used.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from glob import escape
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Final, NoReturn

from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition.fetch import differs_from_list, fetch
from thermochroma.data.acquisition.inventory import Inventory, Origin
from thermochroma.data.acquisition.ledger import Ledger
from thermochroma.data.acquisition.local import clear, link_to, origin_of, place_of
from thermochroma.data.acquisition.unpack import TOP, opened, sweep

SUFFIXES: Final = (".zip", ".tar", ".tar.gz", ".tgz")
CAUSES_TOLD: Final = 3


@dataclass(frozen=True)
class Archive:
    """One published archive."""

    name: str
    """Name of the file; a local copy is recognised by it, too."""
    addresses: tuple[str, ...]
    contains: str
    """The folder in the archive, as a path relative to `raw` ("images/set00/V000")."""
    md5: str | None
    """MD5 from a published list. A download of another sum is refused, a local copy only warned of: the
    same files may have been packed anew."""
    max_bytes: int
    """Upper bound of the unpacked size, and of a download, in bytes."""


def bring_archives(
    raw: Path,
    archives: Sequence[Archive],
    *,
    name: str,
    source: str | None,
    silent_hosts: set[str] | None = None,
    allow_other_versions: bool = False,
) -> None:
    """Make `raw` contain the folder of each archive, from `source` or else from its addresses.

    source: a folder with each of them unpacked (then `raw` links to it), as an archive of its name, or
    in another archive; or one archive of all. Existing folders are kept, also those that a person has
    put into `raw`; folders fetched before are used where `source` lacks them. Archives may hold their
    folder at any depth, or only the last parts of its path. name: the data set's key under `sources:`.
    silent_hosts: see `fetch`. allow_other_versions: a download whose MD5 is not the published one is
    only warned of.

    Raises BadInput if folders are still missing at the end.
    """
    inventory, place = Inventory(raw, name), place_of(source, name, _listed(archives))
    sweep(_workspace(raw))
    clear(_workspace(raw))
    if place is None:
        silent = set() if silent_hosts is None else silent_hosts
        missing = _from_network(inventory, archives, silent, allow_other_versions)
    else:
        missing = _from_local(inventory, archives, place)
    if missing:
        _refuse_missing(inventory, archives, missing, place)


def _from_network(
    inventory: Inventory,
    archives: Sequence[Archive],
    silent_hosts: set[str],
    allow_other_versions: bool,
) -> dict[Archive, str]:
    """Fetch and unpack all archives; return the missing ones with the reasons."""
    downloads, missing = inventory.raw.with_name(f"{inventory.raw.name}.archives"), {}
    for archive in archives:
        if inventory.serves(archive.contains):
            for left in downloads.glob(f"{escape(archive.name)}*"):
                left.unlink()  # from a killed run
            continue
        md5 = None if allow_other_versions else archive.md5
        try:
            _fetch_one(inventory, archive, downloads / archive.name, silent_hosts, md5)
        except BadInput as problem:
            missing[archive] = problem.given
    if downloads.is_dir() and not any(downloads.iterdir()):
        downloads.rmdir()
    return missing


def _fetch_one(
    inventory: Inventory, archive: Archive, file: Path, silent_hosts: set[str], md5: str | None
) -> None:
    inventory.refuse_strangers(archive.contains)
    ledger = Ledger.beside(inventory.raw, inventory.name)
    fetch(
        archive.addresses,
        file,
        md5=md5,
        most_bytes=archive.max_bytes,
        ledger=ledger,
        silent_hosts=silent_hosts,
    )
    origin = {"addresses": list(archive.addresses)}
    try:
        _unpack_from(file, [archive], inventory, origin, least=0)
        if inventory.origin(archive.contains) != origin:
            raise BadInput(
                given=f"{archive.name} holds no folder `{archive.contains}`",
                needed="the archive as it was published",
                remedy="get it by hand",
            )
    except BadInput:
        file.unlink()  # it cannot be used: the next run fetches it anew
        ledger.forget(archive.addresses)
        raise
    file.unlink()


def _from_local(
    inventory: Inventory, archives: Sequence[Archive], place: Path
) -> dict[Archive, str]:
    """Link unpacked folders, unpack the rest: from archives of its name, then from any other.

    Returns the missing ones with the reasons.
    """
    wanted = [one for one in archives if not _link(inventory, one.contains, place)]
    files = {file: origin_of(file) for file in _files_of(place)}
    wanted = [one for one in wanted if inventory.origin(one.contains) not in files.values()]
    causes: dict[Archive, str] = {}
    longest = max((one.contains.count("/") for one in wanted), default=0) + 1
    for least, file in product(range(longest + 1), files):
        takers = [one for one in wanted if _least(file, one, alone=file == place) == least]
        if not takers:
            continue
        try:
            _unpack_from(file, takers, inventory, files[file], least)
        except BadInput as problem:
            # A broken archive of another name need not have held them; the first reason is kept.
            held = [one for one in takers if least <= one.contains.count("/") or file == place]
            causes = dict.fromkeys(held, problem.given) | causes
        wanted = [one for one in wanted if inventory.origin(one.contains) != files[file]]
    missing = [one for one in wanted if not inventory.serves(one.contains)]
    return {one: causes.get(one, f"it is not in {place}") for one in missing}


def _link(inventory: Inventory, folder: str, place: Path) -> bool:
    """Link to the folder if it is unpacked at `place` or one folder below; False if it is not."""
    if place.is_file():
        return False
    roots = [place, *sorted(path for path in place.iterdir() if path.is_dir())]
    found = next((root / folder for root in roots if (root / folder).is_dir()), None)
    if found is None:
        return False
    if found.resolve() != (inventory.raw / folder).resolve():
        fresh = link_to(found, beside=inventory.raw)
        inventory.put(folder, fresh, {"folder": str(found)}, [])
    return True


def _unpack_from(
    file: Path, archives: Sequence[Archive], inventory: Inventory, origin: Origin, least: int
) -> None:
    """Unpack the folders of `archives` that `file` holds, and put them in place."""
    workspace = _workspace(inventory.raw)
    with opened(file, max_bytes=sum(archive.max_bytes for archive in archives)) as content:
        folders = {path: place for place, path in enumerate(content.folders())}
        inside = [(_inside(folders, archive.contains, least), archive) for archive in archives]
        found = [(place, archive) for place, archive in inside if place is not None]
        for place, archive in sorted(found, key=lambda pair: folders.get(pair[0], -1)):
            warnings = differs_from_list(file, archive.md5) if file.name == archive.name else []
            content.unpack(
                workspace, inside=place
            )  # in the archive's order: a tar is read forwards
            inventory.put(archive.contains, workspace, origin, warnings)


def _inside(folders: Collection[PurePosixPath], contains: str, least: int) -> PurePosixPath | None:
    """The archive's folder whose path ends with as many of the last parts of `contains` as possible.

    One part of several is enough only at the archive's top; a folder of one part may be the whole
    archive, if `least` is 0. None if there is no such folder, or more than one.
    """
    parts = PurePosixPath(contains).parts
    for count in range(len(parts), max(min(least, len(parts)), 1) - 1, -1):
        ends = [path for path in folders if path.parts[-count:] == parts[-count:]]
        if count == 1 < len(parts):
            ends = [path for path in ends if len(path.parts) == 1]
        highest = min((len(path.parts) for path in ends), default=0)
        ends = [path for path in ends if len(path.parts) == highest]
        if ends:
            return ends[0] if len(ends) == 1 else None
    return TOP if least == 0 and len(parts) == 1 else None


def _least(file: Path, archive: Archive, *, alone: bool) -> int:
    """Number of parts of the folder's path that must match in `file`: more for unspecific file names.

    The reason: annotations of a recording lie in folders of the same name as its images.
    """
    if file.name == archive.name:
        return 0
    parts = PurePosixPath(archive.contains).parts
    near = alone or file.name.split(".")[0] in parts[:-1]  # set00.zip has images/set00/V000
    return min(2, len(parts)) if near else len(parts)


def _files_of(place: Path) -> list[Path]:
    """The archive `place`, or the archives in the folder `place` and one folder below."""
    if place.is_file():
        return [place]
    found = [*place.glob("*"), *place.glob("*/*")]
    return sorted(path for path in found if path.name.endswith(SUFFIXES) and path.is_file())


def _workspace(raw: Path) -> Path:
    """The folder in which archives are unpacked, before their folders are put in place."""
    return raw.with_name(f"{raw.name}.unpacked")


def _refuse_missing(
    inventory: Inventory,
    archives: Sequence[Archive],
    missing: dict[Archive, str],
    place: Path | None,
) -> NoReturn:
    reasons = [
        (cause if cause.startswith(archive.name) else f"{archive.name}: {cause}")
        if number < CAUSES_TOLD
        else archive.name
        for number, (archive, cause) in enumerate(missing.items())
    ]
    there = [archive.name for archive in archives if archive not in missing]
    named = ", ".join(there) if len(there) <= CAUSES_TOLD else f"{len(there)} of them"
    raise BadInput(
        given=f"{len(missing)} of {len(archives)} archives of `{inventory.name}` are missing "
        f"({', '.join(reasons)})",
        needed=f"all of them; in {inventory.raw} are {named or 'none of them'}",
        remedy=_next_step(list(missing), place, f"`sources.{inventory.name}.source`"),
    )


def _next_step(missing: Sequence[Archive], place: Path | None, key: str) -> str:
    first, others = missing[0], " and the others" if len(missing) > 1 else ""
    if place is not None:
        what = f"{first.name}, or a folder {first.contains}" + others.replace(" and", ", and")
        return f"put {what} into {place}, or correct {key}"
    address = f" ({first.addresses[0]})" if first.addresses else ""
    return (
        f"run again, finished parts are kept; or get {first.name}{address}{others} by hand, put "
        f"{'them' if others else 'it'} into a folder of its own and set {key} to that folder"
    )


def _listed(archives: Sequence[Archive]) -> str:
    names = [f"`{archive.contains}`" for archive in archives]
    return ", ".join(names[:CAUSES_TOLD]) + (" and so on" if len(names) > CAUSES_TOLD else "")
