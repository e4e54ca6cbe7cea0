"""The project as workers need it: its commit, what DVC has recorded, and the address of its data."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thermochroma.base.cells import counted
from thermochroma.base.errors import BadInput
from thermochroma.base.files import remove_folder, seed_of
from thermochroma.cluster.commands import DVC, logged, show, told
from thermochroma.cluster.jobs import Job, jobs_in, needs_in, prepared, to_do

LOCK: Final = "dvc.lock"
PASSED_ON: Final = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME")
"""Variables of the head that workers get, too: they say where runs are told to."""
PACKED: Final = "refs/thermochroma/packed"
"""Reference of git by which a commit travels: a bundle holds no commit without one."""


@dataclass(frozen=True)
class Remote:
    """Storage of DVC. url: as every machine of the cluster can reach it."""

    name: str
    url: str


@dataclass(frozen=True)
class Project:
    """All of a project that goes to a worker.

    bundle: what `git bundle` makes of its commit. lock: text of dvc.lock, empty if there is none.
    checkpoints: their folder, below the project's. environment: variables for its stages.
    """

    bundle: bytes
    lock: str
    remote: Remote
    checkpoints: str
    environment: dict[str, str]

    @property
    def place(self) -> str:
        """Name of the folder in which a worker keeps clones and cache: one for each remote."""
        return f"{seed_of(self.remote.url):016x}"


def pack(
    root: Path,
    *,
    remote: Remote,
    checkpoints: Path,
    revision: str = "HEAD",
    extra: Mapping[str, str] | None = None,
) -> Project:
    """The project at `root` as it is committed, and as DVC has recorded it. extra: variables for stages."""
    bundle, lock = root / ".dvc/tmp/cluster.bundle", root / LOCK
    bundle.parent.mkdir(parents=True, exist_ok=True)
    try:
        told("git", "update-ref", PACKED, revision, folder=root)
        told("git", "bundle", "create", "--quiet", str(bundle), PACKED, folder=root)
        return Project(
            bundle.read_bytes(),
            lock.read_text(encoding="utf-8") if lock.exists() else "",
            remote,
            checkpoints.as_posix(),
            {name: os.environ[name] for name in PASSED_ON if name in os.environ}
            | {**(extra or {})},
        )
    finally:
        told("git", "update-ref", "-d", PACKED, folder=root)
        bundle.unlink(missing_ok=True)


def refuse_changes(root: Path) -> None:
    """Raise BadInput for a project that is no git clone, or whose files differ from its commit."""
    status = told("git", "status", "--porcelain", folder=root)
    changed = [line[3:] for line in status.splitlines() if line[3:] != LOCK]
    if changed:
        raise BadInput(
            given=f"{counted(len(changed), 'file')} not as in the last commit, such as {changed[0]}",
            needed="a project that is committed: workers make their clones of its commit",
            remedy="`git add --all && git commit`, or `git stash --include-untracked`",
        )


def remote_of(root: Path) -> Remote:
    """The project's storage of DVC. Raises BadInput if none is the default."""
    listed = told(*DVC, "config", "--list", folder=root).splitlines()
    settings = dict(line.split("=", 1) for line in listed if "=" in line)
    name = settings.get("core.remote", "")
    if not (url := settings.get(f"remote.{name}.url")):
        raise BadInput(
            given="the project has no default remote of DVC",
            needed="storage that every machine of the cluster reaches: workers take data from there and "
            "leave results there",
            remedy="`dvc remote add --default storage /a/shared/folder` (or s3://…), and commit it",
        )
    return Remote(name, url)


def all_jobs(root: Path) -> list[Job]:
    """All trainings of the project, whether up to date or not."""
    return jobs_in(needs_in(told(*DVC, "dag", "--dot", folder=root)))


def unfinished(root: Path, jobs: Sequence[Job]) -> list[Job]:
    """The jobs of which something is not up to date at `root`."""
    names = [name for job in jobs for name in (job.train, job.evaluate)]
    status = told(*DVC, "status", "--json", *names, folder=root) if names else "{}"
    return to_do(jobs, json.loads(status))


def prepare(root: Path, jobs: Sequence[Job], *, raw: Path | None = None) -> None:
    """Run at `root` whatever comes before the trainings, and push it.

    raw: the project that has the raw data, if it is another one; DVC's own variable says so to stages.
    """
    if jobs:
        extra = {"DVC_ROOT": str(raw or root)}
        show(*DVC, "repro", "--pull", *prepared(jobs), folder=root, extra=extra)
        show(*DVC, "push", "--run-cache", "--with-deps", *prepared(jobs), folder=root)


def restore(root: Path, jobs: Sequence[Job]) -> None:
    """Take what workers have made from the remote."""
    if jobs:
        names = [name for job in jobs for name in (job.train, job.evaluate)]
        show(*DVC, "repro", "--single-item", "--pull", *names, folder=root)


def make_clone(project: Project, folder: Path, *, cache: Path, log: Path) -> None:
    """Put the project's commit into `folder`, in the place of what is there; DVC keeps data in `cache`."""
    if folder.exists():
        remove_folder(folder)
    folder.mkdir(parents=True)
    bundle = folder / "bundle"
    bundle.write_bytes(project.bundle)
    commands = (
        ("git", "init", "--quiet"),
        ("git", "fetch", "--quiet", bundle.name, PACKED),
        ("git", "checkout", "--quiet", "--detach", "FETCH_HEAD"),
        (
            *DVC,
            "remote",
            "add",
            "--quiet",
            "--local",
            "--force",
            "--default",
            *_words(project.remote),
        ),
        (*DVC, "cache", "dir", "--quiet", "--local", str(cache)),
    )
    for command in commands:
        logged(*command, folder=folder, log=log, extra={})
    bundle.unlink()
    if project.lock:
        (folder / LOCK).write_text(project.lock, encoding="utf-8")


def _words(remote: Remote) -> tuple[str, str]:
    return remote.name, remote.url
