"""The runs in a browser, by MLflow's own server: what `make ui` runs.

MLflow ends with status 0 where the port is taken, and looks for artifacts where the project was when they
were written; both are seen to before it starts.

    python ui.py --port 5000
"""

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path

from stages import preflight  # puts `src` first
from thermochroma.base.endings import one_sentence
from thermochroma.tracking.faults import fault_of
from thermochroma.tracking.journal import DATABASE, SERVER, own_database
from thermochroma.tracking.links import run_lists
from thermochroma.tracking.places import address_of, mend_places
from thermochroma.tracking.tables import make_tables

HOST = "127.0.0.1"


def main() -> None:
    """Become MLflow's server, if the port is free."""
    parser = argparse.ArgumentParser(description="Browse the runs in MLflow.")
    parser.add_argument("--port", type=int, default=5000, help="of this machine alone")
    port: int = parser.parse_args().port
    if not 0 < port < 65536:
        parser.error(f"{port} is no port; give one from 1 to 65535")
    preflight.end_if(port_problem(port) or claim_problem(port))
    os.chdir(preflight.ROOT)
    database = preflight.ROOT / DATABASE
    uri = os.environ.get(SERVER) or address_of(database)
    if own_database(preflight.ROOT) is not None:
        with one_sentence(again="`make ui`"):
            try:
                mend_places(database)
                make_tables(database)
                say_where(database, f"http://{HOST}:{port}")
            except Exception as problem:
                raise fault_of(problem, uri=uri, database=database) from problem
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--host", HOST]
    os.execv(sys.executable, [*command, "--port", str(port), "--workers", "1"])


def say_where(database: Path, server: str) -> None:
    """Print where the runs of each data set are listed, the best test PSNR first."""
    for dataset, address in run_lists(database, server).items():
        sys.stdout.write(f"runs on {dataset}, best test PSNR first: {address}\n")
    sys.stdout.flush()


def port_problem(port: int) -> str:
    """Tell if the port cannot be listened to."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server just ended keeps none
        try:
            one.bind((HOST, port))
            one.listen()
        except OSError as problem:
            return _cannot_be_used(port, str(problem.strerror))
    return ""


def claim_problem(port: int) -> str:
    """Claim the port until this process ends, as MLflow too; tell if another start has it already.

    MLflow listens only seconds after its start: until then a second start would find the port free.
    Windows has no such locks, so there the second start ends by itself.
    """
    if sys.platform == "win32":
        return ""
    import fcntl

    path = Path(tempfile.gettempdir()) / f"thermochroma-{os.getuid()}-ui-{port}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.set_inheritable(descriptor, True)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return _cannot_be_used(port, "another start of this server has it")
    return ""


def _cannot_be_used(port: int, why: str) -> str:
    return (
        f"port {port} cannot be used ({why}); MLflow needs one that is free; "
        f"`PORT={port + 1 if port < 65535 else 5000} make ui`, or end what listens there."
    )


if __name__ == "__main__":
    main()
