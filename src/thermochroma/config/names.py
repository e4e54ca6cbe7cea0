"""Names of data sets and of line-up entries."""

from typing import Annotated

from pydantic import StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
"""Other names could collide in DVC's stage names, and DVC then drops stages without a word."""
