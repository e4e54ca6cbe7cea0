"""Public checkpoints: filled at random under the public names and shapes, every entry lands."""

import re
import runpy
from math import prod
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.examiner import PARAMS, method_of, settings_of
from tests.pages import PAGES
from thermochroma.base.errors import BadInput
from thermochroma.contract.method import Translator
from thermochroma.export.artifact import build_translator, load_translator
from thermochroma.pretrained.authors_checkpoints import (
    Entry,
    as_public,
    entries_of,
    in_public_form,
    load_public,
    methods_with_public_weights,
    read_checkpoint,
)
from thermochroma.serving.cli import main

METHODS = methods_with_public_weights()
every_method = pytest.mark.parametrize("method", METHODS)


def _made_up(method: str) -> dict[str, Tensor]:
    """A checkpoint in which no two entries of one shape are alike.

    All are views of one row of numbers, each from another place on: numbers of their own would take longer.
    """
    entries = entries_of(method)
    most = max(prod(entry.shape) for entry in entries)
    row = torch.arange(most + len(entries), dtype=torch.float32) % 8191
    return {
        entry.public: torch.tensor(7)
        if entry.public.endswith("num_batches_tracked")
        else row[place : place + prod(entry.shape)].view(entry.shape)
        for place, entry in enumerate(entries)
    }


def _of_full_width(method: str) -> Translator:
    """A translator's shapes, without numbers."""
    settings = in_public_form(settings_of(method))
    with torch.device("meta"):
        return build_translator(method_of(method), settings, scale=1.0, text_width=0)


def _fresh(method: str) -> Translator:
    """A translator of full width, all of whose numbers are 0."""
    translator = _of_full_width(method).to_empty(device="cpu")
    for tensor in translator.state_dict().values():
        tensor.zero_()
    return translator


@every_method
def test_every_public_entry_lands_in_its_place_and_comes_back_exactly(method: str) -> None:
    entries, stored, translator = entries_of(method), _made_up(method), _fresh(method)
    load_public(translator, stored, entries)
    own = translator.state_dict()
    for entry in entries:
        if entry.ours:
            assert torch.equal(own[entry.ours], stored[entry.public]), entry
    back = as_public(translator, entries)
    assert back.keys() == {entry.public for entry in entries if entry.ours}
    assert all(torch.equal(tensor, stored[name]) for name, tensor in back.items())


@every_method
def test_each_of_our_parameters_has_one_public_name_and_what_is_left_out_says_why(
    method: str,
) -> None:
    entries = entries_of(method)
    ours = [entry.ours for entry in entries if entry.ours]
    assert len(ours) == len(set(ours))
    assert {name for name, _ in _of_full_width(method).named_parameters()} <= set(ours)
    assert all(bool(entry.ours) != bool(entry.note) for entry in entries)


@every_method
def test_what_does_not_fit_is_refused_and_nothing_is_changed(method: str) -> None:
    entries, stored, translator = entries_of(method), _made_up(method), _fresh(method)
    last, other = entries[-1].public, "critic.weight"
    faults = {
        last: {name: tensor for name, tensor in stored.items() if name != last},
        other: stored | {other: torch.zeros(1)},
        f"{last}.*3, 2, 1": stored | {last: torch.zeros(3, 2, 1)},
    }
    for told, faulty in faults.items():
        with pytest.raises(BadInput, match=told):
            load_public(translator, faulty, entries)
        assert not any(tensor.any() for tensor in translator.state_dict().values())


def test_the_command_writes_a_translator_that_the_stages_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = _made_up("pix2pix")
    torch.save({f"module.{name}": tensor for name, tensor in stored.items()}, tmp_path / "g.pth")
    ours = tmp_path / "translator.safetensors"
    main(["import-weights", "pix2pix", str(tmp_path / "g.pth"), str(ours), "--params", str(PARAMS)])
    translator, metadata = load_translator(ours)
    assert (metadata.name, metadata.scale) == ("pix2pix", 1.0)
    assert torch.equal(
        translator.state_dict()["unet.downs.0.weight"], stored["model.model.0.weight"]
    )
    assert "entries" in capsys.readouterr().out


def test_running_statistics_that_old_instance_norms_kept_are_left_out_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = _made_up("cyclegan")
    old = stored | {"model.2.running_mean": torch.zeros(64), "model.2.running_var": torch.ones(64)}
    torch.save(old, tmp_path / "latest_net_G_A.pth")
    ours = tmp_path / "translator.safetensors"
    arguments = [str(tmp_path / "latest_net_G_A.pth"), str(ours), "--params", str(PARAMS)]
    main(["import-weights", "cyclegan", *arguments])
    said = capsys.readouterr().out
    assert "2 running statistics" in said and "model.2.running_mean" in said
    translator, _ = load_translator(ours)
    assert torch.equal(translator.state_dict()["resnet.body.1.weight"], stored["model.1.weight"])


def test_counters_may_be_lacking_and_nothing_else_may() -> None:
    entries, stored = entries_of("pix2pix"), _made_up("pix2pix")
    old = {name: one for name, one in stored.items() if not name.endswith("num_batches_tracked")}
    assert len(old) < len(stored)
    assert load_public(_fresh("pix2pix"), old, entries) == []
    lost = next(name for name in old if name.endswith("weight"))
    with pytest.raises(BadInput, match="lacks"):
        load_public(_fresh("pix2pix"), {n: one for n, one in old.items() if n != lost}, entries)


def test_statistics_that_ours_has_no_place_for_may_be_lacking() -> None:
    entries, stored = entries_of("tic_cgan"), _made_up("tic_cgan")
    for entry in entries:
        if not entry.ours and entry.public.endswith(("running_mean", "running_var")):
            del stored[entry.public]
    assert load_public(_fresh("tic_cgan"), stored, entries) == []


def test_a_file_of_somebody_else_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "g.pth"
    torch.save(_made_up("cyclegan"), path)
    before = path.read_bytes()
    with pytest.raises(SystemExit, match="no translator of ours"):
        main(["import-weights", "cyclegan", str(path), str(path), "--params", str(PARAMS)])
    assert path.read_bytes() == before


def test_scgans_weights_see_and_give_the_range_and_the_norms_of_its_code() -> None:
    form = in_public_form(settings_of("scgan")).translator
    assert (form.value_range, form.norm) == ("unit", "per_image")


def test_pearlgans_two_files_are_joined_as_its_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stored = _made_up("pearlgan")
    for part, file in (("encoder.", "80_net_G1.pth"), ("decoder.", "80_net_G2.pth")):
        own = {name.removeprefix(part): stored[name] for name in stored if name.startswith(part)}
        torch.save(own, file)
    (snippet,) = re.findall(r"```python\n(.*?)```", (PAGES / "pearlgan.md").read_text(), re.DOTALL)
    Path("join.py").write_text(snippet)
    runpy.run_path("join.py")
    joined = read_checkpoint(Path("joined.pth"))
    assert list(joined) == [entry.public for entry in entries_of("pearlgan")]
    load_public(_fresh("pearlgan"), joined, entries_of("pearlgan"))


@pytest.mark.parametrize(
    "content, told",
    [
        (torch.nn.Linear(1, 1), "holds more than tensors: nothing in it was run"),
        ([1, 2], "state dict"),
        ({"a": torch.zeros(2, 2).to_sparse()}, "names with tensors alone"),
        ({1: torch.zeros(2)}, "names with tensors alone"),
        (b"no archive", "torch.save"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_state_dict_is_refused(content: object, told: str, tmp_path: Path) -> None:
    path = tmp_path / "g.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(BadInput, match=told) as caught:
        read_checkpoint(path)
    assert "weights_only" not in str(caught.value)


def test_a_method_without_public_code_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match="cmmf_net"):
        main(["import-weights", "cmmf_net", "a.pth", "b", "--params", str(PARAMS)])
    with pytest.raises(SystemExit, match="pix2pxi"):
        main(["import-weights", "pix2pxi", "a.pth", "b", "--params", str(PARAMS)])


KERAS = [
    Entry("conv2d_1.kernel", (5, 2, 4, 3), "one", ""),
    Entry("batch_normalization_1.gamma", (5,), "other", ""),
]


@pytest.mark.parametrize("whole_model", [False, True])
def test_keras_files_are_read_with_their_kernels_turned(whole_model: bool, tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(4, 3, 2, 5)).astype(np.float32)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        place = file.create_group("model_weights") if whole_model else file
        place["conv2d_1/conv2d_1/kernel:0"] = kernel
        place["batch_normalization_1/batch_normalization_1/gamma:0"] = np.ones(5, np.float32)
        if whole_model:
            file["optimizer_weights/conv2d_1/conv2d_1/kernel:0"] = kernel + 1
    found = read_checkpoint(tmp_path / "w.h5", KERAS)
    assert found.keys() == {"conv2d_1.kernel", "batch_normalization_1.gamma"}
    # rows, columns, in, out -> out, in, rows, columns
    assert float(found["conv2d_1.kernel"][4, 1, 3, 2]) == float(kernel[3, 2, 1, 4])
    (tmp_path / "no.h5").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="HDF5"):
        read_checkpoint(tmp_path / "no.h5", KERAS)
