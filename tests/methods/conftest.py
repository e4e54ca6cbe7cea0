"""The short way through the examination, for `make test-fast`: one method of each kind of game."""

import pytest

FAST = {"pix2pix", "tir2lab", "thermal_mask", "recycle_gan"}
"""Paired with a critic, a regression, there and back without pairs, three frames in a row."""
SLOW_QUESTIONS = ("test_8_", "test_9_", "test_10_", "test_14_", "test_15_", "test_13_", "test_5_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        block = getattr(item, "callspec", None) and item.callspec.params.get("block")
        if block is None or "test_examination" not in item.nodeid:
            continue
        if block not in FAST or (block != "pix2pix" and item.name.startswith(SLOW_QUESTIONS)):
            item.add_marker(pytest.mark.slow)
