"""Every pinned version can be installed with every Python that is promised, and is what is tested."""

import tomllib
from importlib.metadata import Distribution, distributions

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from stages.preflight import NEWEST, OLDEST
from tests.conftest import ROOT

PYTHONS = ("3.11.0", "3.11.2", "3.12.0", "3.13.0", "3.13.99")
"""From the first release of the oldest to the last of the newest; Debian 12 has 3.11.2."""
ONLY_WITH_CUDA = ("cuda-", "nvidia-", "triton")
"""Not there where torch was installed for the processor alone."""


def pins(name: str = "constraints.txt") -> dict[str, str]:
    """The version of each package in constraints.txt."""
    lines = (ROOT / name).read_text().split()
    return {
        canonicalize_name(name): version for name, version in (one.split("==") for one in lines)
    }


def installed() -> dict[str, Distribution]:
    return {canonicalize_name(one.metadata["Name"]): one for one in distributions()}


def test_the_promise_is_the_same_wherever_it_is_written() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    oldest, newest = (".".join(map(str, one)) for one in (OLDEST, NEWEST))
    promised = SpecifierSet(project["project"]["requires-python"])
    assert promised == SpecifierSet(f">={oldest},<{NEWEST[0]}.{NEWEST[1] + 1}")
    assert all(python in promised for python in PYTHONS)
    assert project["tool"]["mypy"]["python_version"] == oldest, (
        "what the oldest has not is an error"
    )
    assert f"Python {oldest} to {newest}" in (ROOT / "README.md").read_text()


def test_each_pin_runs_on_the_oldest_and_the_newest_python() -> None:
    there = installed()
    asked = {name: there[name].metadata.get("Requires-Python") for name in pins() if name in there}
    refused = {
        name: specifier
        for name, specifier in asked.items()
        if specifier and not all(python in SpecifierSet(specifier) for python in PYTHONS)
    }
    assert not refused, "pin versions that do not ask for a later Python"


def test_what_is_installed_is_what_is_pinned() -> None:
    """Without it, the check above would read what other versions ask for, or nothing."""
    there, pinned = installed(), pins()
    missing = {name for name in pinned if name not in there}
    assert all(name.startswith(ONLY_WITH_CUDA) for name in missing), missing
    versions = {name: there[name].version.split("+")[0] for name in pinned if name in there}
    other = {name: found for name, found in versions.items() if found != pinned[name]}
    assert not other, "run `make setup`"


def test_the_demos_pins_differ_from_the_others_only_where_gradio_asks_for_it() -> None:
    demo = pins("constraints-demo.txt")
    assert demo.keys() & pins().keys() == {"pillow", "tomlkit"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    full, gradio = map(Requirement, project["optional-dependencies"]["demo"])
    assert full.extras == {"full"}, "the translators that it offers need PyTorch"
    assert demo[gradio.name] in gradio.specifier
    (pillow,) = [one for one in map(Requirement, project["dependencies"]) if one.name == "pillow"]
    assert demo["pillow"] in pillow.specifier


def test_the_clusters_pins_stand_beside_all_others() -> None:
    cluster = pins("constraints-cluster.txt")
    assert not cluster.keys() & pins().keys(), "both files are given to pip"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    full, ray = map(Requirement, project["optional-dependencies"]["cluster"])
    assert full.extras == {"full"}, "machines of the cluster run stages"
    assert cluster[ray.name] in ray.specifier
