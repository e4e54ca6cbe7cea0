"""Number of processors that this process may use."""

import os


def usable_cores() -> int:
    """Count the logical processors that this process may run on; all of them where systems tell no less."""
    if hasattr(os, "sched_getaffinity"):  # Linux: a container, or `taskset`, may allow fewer
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
