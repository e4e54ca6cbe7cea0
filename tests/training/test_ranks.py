"""Several processes: the weights of one, for every method; what ends one of them is one sentence."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tests.conftest import ROOT
from tests.examiner import BLOCKS
from tests.processes import STRICT, apart, differences
from tests.rooms import MODULES, PACKAGE
from thermochroma.base import whole_batch
from thermochroma.base.errors import BadInput
from thermochroma.networks.batch_wide import BatchNorm2d, Dropout
from thermochroma.training import launch, ranks

NOTHING = "<N/A>"
SCRIPT = """
import os, signal, torch
from thermochroma.base import whole_batch
from thermochroma.base.endings import one_sentence
from thermochroma.base.errors import BadInput
from thermochroma.training import launch, ranks

with one_sentence(again="run it again"):
    if (count := launch.processes_for(4)) > 1:
        launch.start_again(count)
        print("to the end", flush=True)
    else:
        with ranks.joined(torch.device("cpu")):
            if whole_batch.rank() == 1:
                {then}
            with whole_batch.computing(whole_batch.share_of(4)):
                whole_batch.added_up(torch.ones(1))
"""


def test_two_processes_give_the_weights_of_one(tmp_path: Path) -> None:
    found = differences(BLOCKS, tmp_path)
    assert found.keys() == set(BLOCKS)
    assert max(away for away, _ in found.values()) < STRICT, found
    one = torch.load(tmp_path / "tir2lab.pt")
    for first_together in (True, False):  # resumed on one, and on two
        assert apart(one, torch.load(tmp_path / f"resumed-{first_together}.pt"))[0] < STRICT


def test_shares_are_all_images_once_and_differ_by_one_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whole_batch, "count", lambda: 3)
    for images in range(3, 12):
        shares = []
        for rank in range(3):
            monkeypatch.setattr(whole_batch, "rank", lambda rank=rank: rank)
            shares.append(whole_batch.share_of(images))
        assert [n for share in shares for n in share.numbers(10)] == [*range(10, 10 + images)]
        sizes = [share.images for share in shares]
        assert max(sizes) - min(sizes) <= 1
        assert sum(share.weight for share in shares) == pytest.approx(1)
    assert whole_batch.share_of(2).is_whole, "too few for all: everyone computes both"


def _failure(status: int, message: str = NOTHING) -> SimpleNamespace:
    return SimpleNamespace(
        exitcode=status,
        error_file_data={"message": message},
        signal_name=lambda: {-9: "SIGKILL", -11: "SIGSEGV", -15: "SIGTERM"}[status],
    )


def _words(what: str, at: float) -> str:
    return f'{{"given": "{what}", "needed": "n", "remedy": "r", "at": {at}}}'


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        (
            {0: _failure(1, _words("lost", 2)), 1: _failure(1, _words("not finite", 1))},
            "^not finite; n",
        ),
        (
            {0: _failure(1, _words("lost", 2)), 1: _failure(-9)},
            "^process 2 of 2 ended by SIGKILL, whi",
        ),
        ({0: _failure(-15), 1: _failure(-11)}, "^process 2 of 2 ended by SIGSEGV; all 2"),
        ({0: _failure(-15), 1: _failure(1, _words("no frame", 1))}, "^no frame; n"),
        (
            {0: _failure(1, _words("lost", 2)), 1: _failure(1)},
            "^process 2 .* status 1, for the reason above",
        ),
        ({1: _failure(-15)}, "^process 2 of 2 ended by SIGTERM"),
    ],
)
def test_the_cause_is_told_and_not_what_it_caused(
    failures: Mapping[int, SimpleNamespace], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        raise launch.cause_of(failures, 2)


def test_the_number_of_processes_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(launch.PROCESSES, raising=False)
    assert launch.processes_for(4) == 1
    monkeypatch.setenv(launch.PROCESSES, "3")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [launch.processes_for(images) for images in (1, 2, 3, 4)] == [1, 2, 3, 3]
    assert [launch.are_too_many(images) for images in (2, 3)] == [True, False]
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv(launch.PROCESSES, wrong)
        with pytest.raises(BadInput, match=f"{launch.PROCESSES}={wrong}; the number of processes"):
            launch.processes_for(4)


def test_no_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(launch.PROCESSES, "4")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(BadInput, match=r"=4 on a machine with 2 GPUs; .* set it to 2"):
        launch.processes_for(8)


def test_a_process_that_was_started_starts_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(launch.PROCESSES, "4")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert launch.processes_for(2) == 1
    with pytest.raises(BadInput, match="started 2 processes for batches of 1"):
        launch.processes_for(1)


def test_layers_of_torchs_own_are_refused_on_several_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    ranks.refuse_own_draws(own)
    monkeypatch.setenv("WORLD_SIZE", "2")
    ranks.refuse_own_draws(nn.Sequential(BatchNorm2d(1), Dropout(0.5), nn.InstanceNorm2d(1)))
    for layer in (nn.BatchNorm2d(1), nn.Dropout(0.5), nn.Dropout2d(0.5)):
        with pytest.raises(BadInput, match=f"layer `1` is torch's own {type(layer).__name__}, on"):
            ranks.refuse_own_draws(nn.Sequential(nn.Conv2d(1, 1, 1), layer))


def test_no_network_and_no_method_draws_for_its_own_images_alone() -> None:
    """Functions leave no layer behind that could be refused while a training begins."""
    rooms = ("networks", "losses", "games", "methods")
    files = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in rooms]
    assert len(files) > 40
    of_torch = re.compile(r"\b(F\.(alpha_)?dropout\w*|F\.batch_norm|nn\.(Dropout|BatchNorm)\w*)\(")
    found = {path.name for path in files if of_torch.search(path.read_text())}
    assert found == {"batch_wide.py"}


@pytest.mark.parametrize(
    ("then", "status", "told"),
    [
        ("pass", 0, ""),
        ("os.kill(os.getpid(), signal.SIGKILL)", 1, "process 2 of 2 ended by SIGKILL"),
        ("raise BadInput(given='one', needed='two', remedy='three')", 1, "one; two; three."),
    ],
)
def test_a_process_that_ends_ends_all_with_one_sentence(
    then: str, status: int, told: str, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(then=then))
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), launch.PROCESSES: "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == status, done.stderr
    assert done.stdout == ("" if status else "to the end\n")
    sentence = done.stderr.strip()
    assert sentence.startswith(f"thermochroma: {told}" if told else "")
    assert sentence.count("\n") == 0
