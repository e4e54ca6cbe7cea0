"""Check params.yaml, and write what code and what budget each outcome depends on."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.fingerprint import write_fingerprints


def main(
    params: Path,
    source: Path,
    stages: Path,
    fingerprints: Path,
) -> None:
    """Check params.yaml, and write what code and what budget each outcome depends on."""
    write_fingerprints(read_params(params), source=source, stages=stages, fingerprints=fingerprints)


if __name__ == "__main__":
    run(main)
