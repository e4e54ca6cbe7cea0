"""The work of `verify`."""

import sys
from argparse import Namespace

from thermochroma.serving.verify import verify


def run(chosen: Namespace) -> None:
    """Print, kind by kind, how many files were compared and which are damaged; then status 1."""
    damaged = 0
    for finding in verify(chosen.project):
        damaged += len(finding.damages)
        told = f"{len(finding.damages)} damaged" if finding.damages else "all sound"
        sys.stdout.write(f"{finding.kind}: {finding.compared} compared, {told}\n")
        for sentence in finding.damages:
            sys.stdout.write(f"  {sentence}\n")
    if damaged:
        sys.exit(1)
