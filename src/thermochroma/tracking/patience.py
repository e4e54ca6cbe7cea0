"""Patience with MLflow's server or database: a few seconds, where MLflow's own settings take minutes."""

import os
import socket
from typing import Final
from urllib.parse import urlsplit

import mlflow.store.db.utils

HURRY: Final = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""Settings of MLflow for servers, where the user has set none."""
TRIES: Final = 3
"""Of a database, with pauses of 0.1 and 0.3 seconds; MLflow's ten take 100 seconds."""
PORTS: Final = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
"""Databases that are servers, and where they listen unless their address says so."""
ANSWER_SECONDS: Final = 10.0


def hurry(uri: str) -> None:
    """Let this process wait for MLflow in seconds. Raises OSError for a database whose host is silent."""
    for name, value in HURRY.items():
        os.environ.setdefault(name, value)
    mlflow.store.db.utils.MAX_RETRY_COUNT = TRIES  # there is no setting of MLflow's for it
    knock(uri)


def knock(uri: str) -> None:
    """Raise OSError if nothing listens at a database's address: its driver may wait for minutes."""
    parts = urlsplit(uri)
    usual = PORTS.get(parts.scheme.partition("+")[0])
    if usual is not None and parts.hostname:
        address = parts.hostname, parts.port or usual
        socket.create_connection(address, timeout=ANSWER_SECONDS).close()
