"""The order of the tests, and which of them one process runs: what takes long begins first.

Tests of one file run in one process, which makes their fixtures once. Behind them come the small pieces,
one by one, to whichever process is free: none waits for another at the end.
"""

from typing import Final

from xdist.scheduler import LoadGroupScheduling

LONGEST: Final = (  # files that take more than ten seconds, the longest first
    "pipeline/test_pipeline.py",
    "training/test_ranks.py",
    "serving/test_onnx.py",
    "test_steps_by_hand.py",
    "reporting/page/test_claims.py",
    "test_gpu_benchmark.py",
    "training/test_graphs.py",
    "test_types.py",
    "pipeline/test_what_runs_again.py",
    "reporting/page/test_page.py",
    "evaluation/test_perceptual.py",
    "pretrained/test_authors_checkpoints.py",
    "methods/test_pages.py",
    "metrics/test_reference_values.py",
    "methods/test_scgan.py",
    "cluster/test_experiments.py",
    "cluster/test_tasks.py",
    "cluster/test_work.py",
    "serving/test_outside.py",
    "serving/test_doors.py",
    "loading/test_caption_policies.py",
    "serving/test_cli.py",
    "data/datasets/test_sample.py",
)
IN_PIECES: Final = ("methods/test_examination.py",)
"""Files of many tests that share little: any process runs any of them."""


def turn_of(nodeid: str) -> int:
    """When a test's turn is: tests are sorted by it, and those with the same number stay as they are."""
    file = _file_of(nodeid)
    if file in IN_PIECES:
        return len(LONGEST) + 1
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


def scope_of(nodeid: str, group: str) -> str:
    """What one process runs together with this test. group: its `xdist_group`, or the test itself."""
    return group if group != nodeid or _file_of(nodeid) in IN_PIECES else nodeid.partition("::")[0]


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0].removeprefix("tests/")


class ByFile(LoadGroupScheduling):  # type: ignore[misc]
    """pytest-xdist's `--dist loadgroup`, in our order; what has no group has that of its file."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid, super()._split_scope(nodeid))
