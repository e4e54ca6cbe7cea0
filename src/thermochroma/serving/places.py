"""Finds the translator that a person names."""

from pathlib import Path

from platformdirs import user_cache_path

from thermochroma.pretrained.shared_translators import bring_translator, is_packed
from thermochroma.serving.models import file_of


def translator_at(place: str, data: Path) -> Path:
    """Path of the translator; it is taken out of an archive, into the user's cache, if one is named.

    data: the project's folder of data, where names of what was trained there are looked for.
    Raises BadInput if the archive is not the one that is meant, or cannot be had, and for a name of no
    translator.
    """
    if is_packed(place):
        return bring_translator(place, user_cache_path("thermochroma") / "translators")
    return file_of(Path(place), data)
