"""What SECURITY.md promises of files from elsewhere: they are data, and no call makes code of them."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

MODULES = sorted((ROOT / "src").rglob("*.py"))
RUNS_CODE = re.compile(
    r"^(eval|exec|os\.system|os\.popen|(pickle|dill|cloudpickle|marshal|joblib)\.loads?"
    r"|yaml\.(load|full_load|unsafe_load)(_all)?|torch\.hub\.load|pd\.read_pickle)$"
)


def _faults(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {one.arg: ast.unparse(one.value) for one in node.keywords}
        if (
            RUNS_CODE.match(name)
            or (name == "torch.load" and given.get("weights_only") != "True")
            or given.get("weights_only", "True") != "True"
            or given.get("allow_pickle", "False") != "False"
            or given.get("trust_remote_code", "False") != "False"
            or given.get("shell", "False") != "False"
        ):
            yield f"{node.lineno}: {ast.unparse(node)}"


def test_no_call_runs_what_is_in_a_file() -> None:
    found = {str(path): [*_faults(path.read_text(encoding="utf-8"))] for path in MODULES}
    assert not {path: calls for path, calls in found.items() if calls}


@pytest.mark.parametrize(
    "call",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "pickle.load(stream)",
        "yaml.load(text)",
        "AutoModel.from_pretrained(folder, trust_remote_code=True)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_such_a_call_is_found(call: str) -> None:
    assert [*_faults(call)]


def test_it_is_found_from_the_readme() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        assert "(SECURITY.md)" in (ROOT / name).read_text(encoding="utf-8")
    said = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "security advisory" in said
    assert "@" not in said, "no address but the repository's own form"
