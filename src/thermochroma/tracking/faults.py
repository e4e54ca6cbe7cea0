"""From whatever MLflow raises to one sentence with the remedy.

MLflow raises what its libraries raise: of SQLite, of HTTP, of the disk. What it holds is a copy of files
on disk, so that the remedy never costs a result.
"""

import functools
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar, runtime_checkable
from urllib.parse import urlsplit, urlunsplit

from thermochroma.base.endings import of_the_machine
from thermochroma.base.errors import BadInput
from thermochroma.base.reading import quote

AGAIN: Final = "dvc repro track"

P = ParamSpec("P")
T = TypeVar("T")


@runtime_checkable
class Client(Protocol):
    """Whatever speaks to one database or server of MLflow. database: the project's own, if it is that."""

    uri: str
    database: Path | None


C = TypeVar("C", bound=Client)


def in_one_sentence(method: Callable[Concatenate[C, P], T]) -> Callable[Concatenate[C, P], T]:
    """Let a method that calls MLflow raise BadInput for whatever is raised in it."""

    @functools.wraps(method)
    def told(self: C, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except BadInput:
            raise
        except Exception as problem:
            raise fault_of(problem, uri=self.uri, database=self.database) from problem

    return told


def fault_of(problem: Exception, *, uri: str, database: Path | None) -> BadInput:
    """Say what is wrong with MLflow's database or server, and what to do. database: the project's own."""
    place = shown(uri) if database is None else str(database)
    if (found := of_the_machine(problem, f"run `{AGAIN}`")) is not None:
        return BadInput(
            given=f"MLflow at {place}: {found.given}", needed=found.needed, remedy=found.remedy
        )
    said = quote(problem).replace(uri, place)  # MLflow's own words have the password
    given = f"{place} cannot be used by MLflow ({said})"
    if database is None:
        return BadInput(
            given=given,
            needed="the address of a server or database that MLflow can use, or none",
            remedy=f"start it, or change or unset MLFLOW_TRACKING_URI, then run `{AGAIN}`",
        )
    return BadInput(
        given=given,
        needed="a sound database that this version of MLflow wrote",
        remedy=f"`rm {shlex.quote(place)}*`, then `{AGAIN}`: it fills a new one from the files on disk",
    )


def shown(uri: str) -> str:
    """The address without the password that it may hold."""
    parts = urlsplit(uri)
    if not parts.password:
        return uri
    return urlunsplit(
        parts._replace(netloc=f"{parts.username}:…@{parts.netloc.rpartition('@')[2]}")
    )
