"""A stage that starts itself anew on several processes of this machine, through torch's own launcher."""

import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from typing import Any, Final

import torch

from thermochroma.base.cores import usable_cores
from thermochroma.base.endings import LAUNCHED
from thermochroma.base.errors import BadInput
from thermochroma.training.ranks import is_one_of_several

KILLED: Final = 9  # `signal.SIGKILL`, which Windows has no name for
PROCESSES: Final = "THERMOCHROMA_PROCESSES"
"""Environment variable with the number of processes: a matter of the machine, never of the outcome."""
GO_ON: Final = "run it again: it goes on from the last checkpoint"


def processes_for(batch_size: int) -> int:
    """Number of processes to start for batches of this size: 1 in a process that was started so itself.

    At most one for each image of a batch. Raises BadInput where the variable, or what a launcher has
    started, cannot be followed.
    """
    if is_one_of_several():
        started = int(os.environ["WORLD_SIZE"])
        if started > batch_size:
            raise BadInput(
                given=f"a launcher started {started} processes for batches of {batch_size}",
                needed="at least one image of each batch for every process",
                remedy="start fewer processes, or set a larger `batch_size`, which trains anew",
            )
        return 1
    return min(_asked_for(), batch_size)


def are_too_many(batch_size: int) -> bool:
    """Whether more processes were asked for than a batch has images."""
    return not is_one_of_several() and _asked_for() > batch_size


def start_again(count: int) -> None:
    """Run the command of this process on `count` processes, to their end.

    Raises BadInput with what ended the first of them that failed.
    """
    # It takes a second to import, and most trainings run on one process.
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(
        logging.CRITICAL
    )  # it tells every end twice
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // count)))
    os.environ[LAUNCHED] = "1"
    with tempfile.TemporaryDirectory(prefix="thermochroma-") as folder:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id="thermochroma",
            rdzv_backend="c10d",
            rdzv_endpoint="127.0.0.1:0",
            local_addr="127.0.0.1",
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=folder),
        )
        try:
            elastic_launch(config, sys.executable)(*sys.orig_argv[1:])
        except SignalException as ended:
            if ended.sigval == signal.SIGINT:
                raise KeyboardInterrupt from None
            sys.exit(128 + ended.sigval)
        except ChildFailedError as failed:
            sys.stderr.write("\n")  # behind the bar of a process that was ended
            raise cause_of(failed.failures, count) from None
        finally:
            del os.environ[LAUNCHED]  # this process says the last words itself


def cause_of(failures: Mapping[int, Any], count: int) -> BadInput:
    """Tell from torch's records of failures, by rank, what ended the first process that failed.

    The launcher ends the others by SIGTERM, if they have not lost their connection to it before. A killed
    process and one with a traceback could leave no sentence; of sentences the first counts.
    """
    statuses = {rank: failures[rank].exitcode for rank in sorted(failures)}
    words = {rank: str(one.error_file_data["message"]) for rank, one in failures.items()}
    told = {rank: json.loads(some) for rank, some in words.items() if some.startswith("{")}
    killed = [rank for rank, status in statuses.items() if status < 0]
    at_once = [rank for rank in killed if statuses[rank] != -signal.SIGTERM]
    traced = [rank for rank in statuses if rank not in killed and rank not in told]
    if told and not at_once and not traced:
        first = min(told.values(), key=lambda one: one["at"])
        return BadInput(**{part: first[part] for part in ("given", "needed", "remedy")})
    rank = (at_once or traced or killed)[0]
    how = f"with status {statuses[rank]}, for the reason above"
    if rank in killed:
        how = f"by {failures[rank].signal_name()}"
    if statuses[rank] == -KILLED:
        how += ", which is often the system's when memory runs out"
    return BadInput(
        given=f"process {rank + 1} of {count} ended {how}",
        needed=f"all {count} are needed to the end",
        remedy=GO_ON,
    )


def _asked_for() -> int:
    text = os.environ.get(PROCESSES, "") or "1"
    if not text.isdecimal() or int(text) == 0:
        raise BadInput(
            given=f"{PROCESSES}={text}",
            needed="the number of processes of one training",
            remedy="set it to a whole number from 1, or unset it",
        )
    count = int(text)
    if torch.cuda.is_available() and count > (gpus := torch.cuda.device_count()):
        raise BadInput(
            given=f"{PROCESSES}={count} on a machine with {gpus} GPU{'s' if gpus > 1 else ''}",
            needed="a GPU for each process",
            remedy=f"set it to {gpus}",
        )
    return count
