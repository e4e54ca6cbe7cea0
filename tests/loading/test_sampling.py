"""Drawing: which images are shown when, together or apart, and how they are cut."""

import numpy as np
import pandas as pd
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.loading.sampling import Drawing, draw_from

SEQUENCES = pd.Series([name for name in "abcde" for _ in range(4)], dtype="string")
EPOCHS = 6
PLACES = np.arange(256, dtype=np.uint8).reshape(16, 16)  # every pixel says where it was


def _numbers(drawing: Drawing, spectrum: int, shown: range) -> list[int]:
    return [drawing.pick(n)[spectrum] for n in shown]


def _cuts(drawing: Drawing, spectrum: str) -> list[bytes]:
    return [
        drawing.geometry(n, spectrum, window=9, flip=0.5)(image=PLACES)["image"].tobytes()
        for n in range(20)
    ]


def test_partners_are_shown_together_each_once_an_epoch() -> None:
    drawing = draw_from(SEQUENCES, aligned=True, disjoint=False, seed=0)
    picks = [drawing.pick(n) for n in range(3 * len(SEQUENCES))]
    assert all(thermal == visible for thermal, visible in picks)
    for start in range(0, len(picks), len(SEQUENCES)):
        epoch = [thermal for thermal, _ in picks[start : start + len(SEQUENCES)]]
        assert sorted(epoch) == list(range(len(SEQUENCES)))


def test_unaligned_visible_images_come_in_an_order_of_their_own() -> None:
    apart, together = (
        draw_from(SEQUENCES, aligned=aligned, disjoint=False, seed=0) for aligned in (False, True)
    )
    epoch = range(len(SEQUENCES))
    assert _numbers(apart, 0, epoch) == _numbers(together, 0, epoch)
    assert sorted(_numbers(apart, 1, epoch)) == list(epoch)
    met = sum(thermal == visible for thermal, visible in map(apart.pick, epoch))
    assert met < len(SEQUENCES) / 3


@pytest.mark.parametrize("seed", range(4))
def test_disjoint_sequences_give_one_spectrum_alone(seed: int) -> None:
    drawing = draw_from(SEQUENCES, aligned=False, disjoint=True, seed=seed)
    shown = range(EPOCHS * len(SEQUENCES))
    thermal, visible = (
        set(SEQUENCES.iloc[_numbers(drawing, spectrum, shown)]) for spectrum in (0, 1)
    )
    assert not thermal & visible
    assert thermal | visible == set("abcde")


def test_each_half_shows_all_its_frames_once_an_epoch_of_its_own() -> None:
    drawing = draw_from(SEQUENCES, aligned=False, disjoint=True, seed=0)
    assert (len(drawing.thermal), len(drawing.visible)) == (8, 12)
    for spectrum, half in enumerate((drawing.thermal, drawing.visible)):
        epochs = [
            _numbers(drawing, spectrum, range(n * len(half), (n + 1) * len(half)))
            for n in range(EPOCHS)
        ]
        assert all(sorted(epoch) == sorted(half) for epoch in epochs)
        assert len(set(map(tuple, epochs))) == EPOCHS


def test_the_halves_depend_on_the_seed_and_on_nothing_else() -> None:
    halves = [
        draw_from(rows, aligned=False, disjoint=True, seed=seed).thermal.tolist()
        for seed in range(6)
        for rows in (SEQUENCES, SEQUENCES.set_axis(range(7, 27)))
    ]
    assert halves[::2] == halves[1::2]
    assert len(set(map(tuple, halves))) > 1


def test_one_sequence_cannot_be_drawn_apart() -> None:
    with pytest.raises(BadInput, match=r"1 sequence.*sampling: pooled"):
        draw_from(SEQUENCES[:4], aligned=False, disjoint=True, seed=0)


def test_partners_are_cut_alike_and_others_are_not() -> None:
    aligned, apart = (
        draw_from(SEQUENCES, aligned=aligned, disjoint=False, seed=0) for aligned in (True, False)
    )
    assert _cuts(aligned, "thermal") == _cuts(aligned, "visible") == _cuts(apart, "thermal")
    differ = zip(_cuts(apart, "thermal"), _cuts(apart, "visible"), strict=True)
    assert sum(one != other for one, other in differ) > 15


def test_what_is_cut_beside_a_image_is_cut_as_it_is() -> None:
    drawing = draw_from(SEQUENCES, aligned=False, disjoint=False, seed=0)
    for n in range(20):
        cut = drawing.geometry(n, "visible", window=9, flip=0.5)(
            image=np.stack([PLACES] * 3, axis=-1), edges=PLACES, other=PLACES
        )
        assert np.array_equal(cut["image"][..., 0], cut["edges"])
        assert np.array_equal(cut["image"][..., 0], cut["other"])
