"""Paths in params.yaml."""

from os.path import expanduser
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

UserPath: TypeAlias = Annotated[str, AfterValidator(expanduser)]
"""Path that a user writes: `~` means the home folder there, as in a shell."""
