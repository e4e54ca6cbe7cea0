"""Shards: plain .npy files, and no image of them is taken for another."""

from pathlib import Path

import numpy as np
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.shards import Shard, new_shard, write_shard

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)


def _left(tmp_path: Path) -> Path:
    path = tmp_path / "thermal/a.npy"
    write_shard(path, [*IMAGES])
    return path


def test_a_shard_is_a_plain_file_of_numpys(tmp_path: Path) -> None:
    path = _left(tmp_path)
    assert np.array_equal(np.load(path), IMAGES)
    np.save(tmp_path / "numpys.npy", IMAGES)
    assert path.read_bytes() == (tmp_path / "numpys.npy").read_bytes()
    assert np.array_equal([*Shard(path, remedy="")], IMAGES)


def test_each_turned_bit_is_noticed_in_the_image_that_has_it(tmp_path: Path) -> None:
    path = _left(tmp_path)
    whole = path.read_bytes()
    for place in (128, len(whole) - 1):
        turned = bytearray(whole)
        turned[place] ^= 4
        path.write_bytes(turned)
        shard, bad = Shard(path, remedy="fetch it again"), 0 if place == 128 else 2
        assert np.array_equal(shard[1], IMAGES[1])
        for _ in range(2):
            with pytest.raises(
                BadInput, match=rf"a\.npy was changed .*image {bad}.*fetch it again"
            ):
                shard[bad]


@pytest.mark.parametrize("bit", range(0, 8 * 128, 7))
def test_a_turned_bit_of_the_head_changes_nothing_or_is_noticed(tmp_path: Path, bit: int) -> None:
    path = _left(tmp_path)
    turned = bytearray(path.read_bytes())
    turned[bit // 8] ^= 1 << bit % 8
    path.write_bytes(turned)
    try:
        found = [*Shard(path, remedy="fetch it again")]
    except BadInput:
        return
    assert np.array_equal(found, IMAGES)


@pytest.mark.parametrize("name", ["a.npy", "a.crc32"])
@pytest.mark.parametrize("rest", [0, 9, 100])
def test_a_cut_or_missing_file_is_noticed(tmp_path: Path, name: str, rest: int) -> None:
    path = _left(tmp_path)
    one = path.with_name(name)
    if rest < one.stat().st_size:
        one.write_bytes(one.read_bytes()[:rest])
    else:
        one.unlink()
    with pytest.raises(BadInput, match=r"a\.(npy|crc32) .*fetch it again"):
        [*Shard(path, remedy="fetch it again")]


def test_it_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fail() -> None:
        with new_shard(tmp_path / "a.npy", (2, 4, 5)) as append:
            append(IMAGES[0, ..., 0])
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert not [*tmp_path.iterdir()]
