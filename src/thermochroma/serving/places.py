"""Finds the translator that a person names."""

from pathlib import Path

from platformdirs import user_cache_path

from thermochroma.pretrained.shared_translators import bring_translator, is_packed


def translator_at(place: str) -> Path:
    """Path of the translator; it is taken out of an archive, into the user's cache, if one is named.

    Raises BadInput if the archive is not the one that is meant, or cannot be had.
    """
    if is_packed(place):
        return bring_translator(place, user_cache_path("thermochroma") / "translators")
    return Path(place)
