"""Check params.yaml, and write what code and what budget each outcome depends on."""

from stages.command import run
from thermochroma.pipeline.fingerprint import write_fingerprints

if __name__ == "__main__":
    run(write_fingerprints)
