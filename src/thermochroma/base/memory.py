"""Memory of this process: a limit at which work fails instead of being killed, its peak, its reuse."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

OF_CONTAINERS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Files with the most bytes that a container may use, in both versions of Linux's control groups."""
TRIM_THRESHOLD, MMAP_MAX = -1, -4  # numbers of options in glibc's malloc.h


@contextmanager
def within_memory() -> Iterator[None]:
    """Let this process ask for no more memory than is free at the beginning of the block.

    Linux grants more than it has, and kills whoever then uses it. Under a limit the library that asks
    for too much raises an error, and the work can go on. On other systems nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource  # Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = free_bytes() + psutil.Process().memory_info().data
    try:
        if soft == resource.RLIM_INFINITY or most < soft:
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def keep_freed() -> None:
    """Let the C library keep freed memory for what is asked for next, until this process ends.

    A training step asks for the same large tensors again and again. By default each comes anew from the
    system, which clears it page by page, and goes back when it is freed. This concerns glibc (Linux);
    on other systems nothing is changed.
    """
    option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if option is not None:
        option(MMAP_MAX, 0)  # all from one heap
        option(TRIM_THRESHOLD, -1)  # whose end is never given back


def free_bytes() -> int:
    """Memory and swap that are free, and no more than a container is given altogether."""
    free = psutil.virtual_memory().available + psutil.swap_memory().free
    texts = [path.read_text().strip() for path in OF_CONTAINERS if path.is_file()]
    return min([free, *(int(text) for text in texts if text.isdecimal())])


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    try:
        import resource
    except ImportError:  # Windows counts for itself
        windows: Any = psutil.Process().memory_info()
        return int(windows.peak_wset)
    unit = 1 if sys.platform == "darwin" else 1024  # Linux counts KiB, macOS bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
