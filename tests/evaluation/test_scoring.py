"""Scoring: what rows are shown and scored on, in both directions, and pairs of frames as video."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from tests.made_crops import Sequence, make_crops
from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import FACTS
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.contract.batch import Still, VisibleStill
from thermochroma.contract.method import Translator
from thermochroma.evaluation.baselines import predictors, score_baselines
from thermochroma.evaluation.flicker import COLUMNS, Pairs, pairs_of, score_flicker
from thermochroma.evaluation.perceptual import Perception
from thermochroma.evaluation.scoring import SEEN, in_grey, score_rows
from thermochroma.evaluation.snapshots import of_the_end, score_snapshot
from thermochroma.inference import predictions as prediction
from thermochroma.inference.predictions import panel, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.loading.inference_batches import seen_batches
from thermochroma.metrics.contours import edges_kept
from thermochroma.metrics.image_scores import OF_COLOUR, SCORES, score_images

SIDE = 40
WEIGHTS = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64).view(3, 1, 1)  # of luma
CPU = torch.device("cpu")
SEQUENCES = {
    "a": Sequence(3),
    "b": Sequence(2),
    "v": Sequence(1, split="validation"),
    "t": Sequence(5, split="test", dropped=(2,)),
    "u": Sequence(3, split="test"),
}
TEXTURE = gaussian_filter(
    np.random.default_rng(0).normal(size=(SIDE, SIDE + 60, 4)), (2, 2, 0), mode="wrap"
)


def _predict(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A slow drive past one texture, begun elsewhere in each sequence."""
    left = ord(name) % 8 * 5 + 2 * n
    cut = (TEXTURE[:, left : left + SIDE] * 220 + 128).clip(0, 255).round().astype(np.uint8)
    return cut[..., 0], np.ascontiguousarray(cut[..., 1:])


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Crops:
    return make_crops(tmp_path_factory.mktemp("crops"), SEQUENCES, _predict)


def _noisy(images: Tensor) -> Tensor:
    noise = np.random.default_rng(1).normal(0, 20, images.shape)
    return torch.from_numpy((images.numpy() + noise).clip(0, 255).round().astype(np.uint8))


def test_thermal_images_have_no_scores_of_colour(crops: Crops) -> None:
    truth = truth_of(crops, crops.split("test"), spectrum="thermal")
    found = score_images(_noisy(truth), truth)
    edges = {"edges_kept", "edges_f"}
    assert list(found) == [name for name in SCORES if name not in {*OF_COLOUR, *edges}]


def test_thermal_scores_agree_with_scikit_image_and_closed_forms(crops: Crops) -> None:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity  # here: slow

    truth = truth_of(crops, crops.split("test"), spectrum="thermal")
    prediction = _noisy(truth)
    found = score_images(prediction, truth)
    for n, (one, other) in enumerate(
        zip(prediction[:, 0].numpy(), truth[:, 0].numpy(), strict=True)
    ):
        error = np.square(one.astype(float) - other).mean()
        assert found["mse"][n].item() == pytest.approx(error)
        psnr = peak_signal_noise_ratio(other, one, data_range=255)
        assert found["psnr"][n].item() == pytest.approx(psnr, abs=1e-9)
        uniform = structural_similarity(other, one, win_size=7, data_range=255)
        assert found["ssim_7u"][n].item() == pytest.approx(uniform, abs=1e-5)
        _, full = structural_similarity(
            other.astype(float), one.astype(float), data_range=255, full=True,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )  # fmt: skip
        assert found["ssim"][n].item() == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-4)


def test_a_grey_image_scores_as_its_one_channel_where_both_are_defined(crops: Crops) -> None:
    truth = truth_of(crops, crops.split("test"), spectrum="thermal")
    one = score_images(_noisy(truth), truth)
    three = score_images(_noisy(truth).repeat(1, 3, 1, 1), truth.repeat(1, 3, 1, 1))
    for name, values in one.items():
        assert values.numpy() == pytest.approx(three[name].numpy(), abs=1e-5, nan_ok=True), name


def test_a_snapshot_is_scored_as_what_ships(crops: Crops) -> None:
    rows = crops.split("test")
    prediction = _noisy(truth_of(crops, rows))
    batches = [(rows.iloc[some], prediction[some]) for some in (slice(0, 3), slice(3, len(rows)))]
    late = score_snapshot(crops, iter(batches), images=270, spectrum="visible")
    whole = of_the_end(score_rows(crops, rows, prediction, spectrum="visible"), images=300)
    assert late.columns.tolist() == whole.columns.tolist()
    pd.testing.assert_frame_equal(late.drop(columns="images"), whole.drop(columns="images"))
    assert ({*late["images"]}, {*whole["images"]}) == ({270}, {300})


@pytest.mark.parametrize("spectrum", ["visible", "thermal"])
def test_rows_are_scored_against_the_spectrum_that_is_predicted(
    crops: Crops, spectrum: str
) -> None:
    rows = crops.split("test")
    truth = truth_of(crops, rows, spectrum=spectrum)
    scores = score_rows(crops, rows, truth, spectrum=spectrum)
    assert (scores["mse"] == 0).all()
    colour = [] if spectrum == "thermal" else [*OF_COLOUR]
    assert set(scores.columns) == {*FACTS, *SCORES} - {*OF_COLOUR} | {*colour}
    assert scores["frame"].tolist() == rows["frame"].tolist()


def test_edges_are_compared_with_what_was_seen(crops: Crops) -> None:
    rows = crops.split("test").iloc[2:4]
    copied = truth_of(crops, rows, spectrum="thermal").repeat(1, 3, 1, 1)
    scores = score_rows(crops, rows, copied, spectrum="visible")
    assert scores[["edges_kept", "edges_f"]].to_numpy().tolist() == [[1, 1]] * 2
    prediction = truth_of(crops, rows, spectrum="thermal")
    scores = score_rows(crops, rows, prediction, spectrum="thermal")
    luma = in_grey(truth_of(crops, rows, spectrum="visible"))
    expected = edges_kept(prediction[1, 0].numpy(), luma[1].numpy())
    assert tuple(scores.loc[1, ["edges_kept", "edges_f"]]) == pytest.approx(expected)


def features(image: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Maps for the linear probe."""
    return torch.nn.functional.avg_pool2d(image, 4), torch.nn.functional.avg_pool2d(image**2, 8)


@pytest.mark.parametrize("spectrum", BASELINES)
def test_every_baseline_of_a_direction_is_scored_on_every_frame(
    crops: Crops, spectrum: str
) -> None:
    train, test = crops.split("train"), crops.split("test").iloc[:2]
    scored = list(
        score_baselines(
            crops,
            train,
            test,
            spectrum=spectrum,
            perception=Perception({}, {}, torch.device("cpu")),
            features=features,
        )
    )
    assert [name for name, _, _ in scored] == BASELINES[spectrum].names
    for name, found, predict in scored:
        scores = found.scores
        assert found.distances == {}, name
        assert scores["frame"].tolist() == ["t/0", "t/1"], name
        again = score_rows(crops, test, predict(test), spectrum=spectrum)
        assert scores["mse"].tolist() == again["mse"].tolist(), name
        assert ("ciede2000" in scores) == (spectrum == "visible"), name


def test_mean_thermal_rows_are_means_of_training_images(crops: Crops) -> None:
    train, test = crops.split("train"), crops.split("test")
    images = truth_of(crops, train, spectrum="thermal").double()
    rows = dict(predictors(crops, train, spectrum="thermal", features=features))
    level, image = (rows[name](test) for name in ("mean_thermal", "mean_thermal_image"))
    assert level.shape == (7, 1, SIDE, SIDE)
    assert level.unique().tolist() == [images.mean().round().item()]
    assert torch.equal(image[6].double(), images.mean(0).round())


def test_copied_inverted_and_nearest_on_the_way_back(crops: Crops) -> None:
    train = crops.split("train")
    rows = dict(predictors(crops, train, spectrum="thermal", features=features))
    visible = truth_of(crops, train, spectrum="visible").double()
    luma = (visible * WEIGHTS).sum(1)
    copied, inverted = rows["visible_copied"](train), rows["visible_inverted"](train)
    assert (copied[:, 0].double() - luma).abs().max() <= 0.5 + 1e-9
    assert torch.equal(copied.int() + inverted.int(), torch.full_like(copied, 255).int())
    found = rows["nearest_visible_frame"](train)
    assert torch.equal(found, truth_of(crops, train, spectrum="thermal"))


@pytest.mark.parametrize("spectrum", ["visible", "thermal"])
def test_held_out_targets_cannot_reach_the_trivial_rows(spectrum: str, tmp_path: Path) -> None:
    crops = make_crops(tmp_path, SEQUENCES, _predict)
    test, train = crops.split("test"), crops.split("train")
    expected = {
        name: predict(test)
        for name, predict in predictors(crops, train, spectrum=spectrum, features=features)
    }
    other = make_crops(tmp_path / "other", SEQUENCES, _predict)
    for name in "tuv":
        (other.folder / spectrum / f"{name}.npy").unlink()
    fitted = predictors(other, other.split("train"), spectrum=spectrum, features=features)
    for name, predict in fitted:
        if name not in BASELINES[spectrum].oracles:
            assert torch.equal(predict(other.split("test")), expected[name]), name
        else:
            with pytest.raises(BadInput, match=r"\.npy does not exist"):
                predict(other.split("test"))


def test_who_paints_thermal_images_is_shown_visible_ones_alone(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, SEQUENCES, _predict)
    for path in (tmp_path / "thermal").iterdir():
        path.unlink()
    rows = crops.split("test")
    batches = list(
        seen_batches(crops, rows, sees=VisibleStill, text=None, batch_size=4, device=CPU)
    )
    assert [seen.visible.shape[0] for _, seen in batches] == [4, 3]
    shown = torch.cat([seen.visible for _, seen in batches])
    truth = truth_of(crops, rows, spectrum="visible")
    assert torch.allclose(shown, truth / 127.5 - 1, atol=1e-6)
    with pytest.raises(BadInput, match=r"\.npy does not exist"):
        next(seen_batches(crops, rows, sees=Still, text=None, batch_size=4, device=CPU))


@pytest.mark.parametrize("spectrum", ["visible", "thermal"])
def test_a_panel_shows_what_was_seen_predicted_and_true(crops: Crops, spectrum: str) -> None:
    rows = crops.split("test").iloc[:2]
    prediction = _noisy(truth_of(crops, rows, spectrum=spectrum))
    shown = panel(crops, rows, prediction)
    assert shown.shape == (2 * SIDE, 3 * SIDE, 3)
    columns = np.split(shown[SIDE:], 3, axis=1)
    others = (SEEN[spectrum], None, spectrum)
    for column, name in zip(columns, others, strict=True):
        if name is None:
            image = prediction[1].permute(1, 2, 0).numpy()
        else:
            image = np.asarray(crops.image(name, rows.iloc[1])).reshape(SIDE, SIDE, -1)
        assert np.array_equal(column, np.broadcast_to(image, column.shape))


def _frames(pairs: Pairs) -> Iterator[tuple[str, str]]:
    return zip(pairs.before["frame"], pairs.after["frame"], strict=True)


def test_pairs_are_neighbours_and_none_reaches_over_a_dropped_frame(crops: Crops) -> None:
    pairs = pairs_of(crops, None)
    wanted = [("t/0", "t/1"), ("t/3", "t/4"), ("u/0", "u/1"), ("u/1", "u/2")]
    assert list(_frames(pairs)) == wanted
    assert len(pairs) == len(pairs.ways) == 4


def test_so_many_pairs_are_taken_of_each_sequence(crops: Crops) -> None:
    pairs = pairs_of(crops, 1)
    assert pairs.before["sequence"].tolist() == ["t", "u"]
    assert all(one[0] == other[0] for one, other in _frames(pairs))


def test_the_true_video_flickers_little_and_a_jump_is_read_in_levels(crops: Crops) -> None:
    pairs, still = pairs_of(crops, None), torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)

    def jumping(rows: pd.DataFrame) -> Tensor:
        odd = torch.tensor([int(frame[-1]) % 2 for frame in rows["frame"]], dtype=torch.uint8)
        return still + 20 * odd.view(-1, 1, 1, 1)

    def flat(rows: pd.DataFrame) -> Tensor:
        return still.repeat(len(rows), 1, 1, 1)

    def true(rows: pd.DataFrame) -> Tensor:
        return truth_of(crops, rows, spectrum="visible")

    read = {predict: score_flicker(pairs, predict) for predict in (jumping, flat, true)}
    assert all(list(table.columns) == COLUMNS for table in read.values())
    assert read[jumping]["flicker"].tolist() == [20] * 4
    assert read[flat]["flicker"].tolist() == [0] * 4
    assert read[true]["flicker"].max() < 1
    assert read[true]["frame"].tolist() == ["t/0", "t/3", "u/0", "u/1"]


def test_stills_have_no_pairs_and_no_flicker(tmp_path: Path) -> None:
    stills = {name: Sequence(1, split="test") for name in "tuvw"}
    crops = make_crops(tmp_path, stills, _predict)
    for most in (None, 2):
        pairs = pairs_of(crops, most)
        assert len(pairs) == 0

        def predict(rows: pd.DataFrame) -> Tensor:
            raise AssertionError("there is nothing to predict")

        table = score_flicker(pairs, predict)
        assert list(table.columns) == COLUMNS
        assert len(table) == 0


class _Broken(Translator[Still]):
    """Predicts no number in its second image."""

    def forward(self, seen: Still) -> Tensor:
        prediction = seen.thermal.repeat(1, 3, 1, 1)
        prediction[1, 0, 0, 0] = torch.nan
        return prediction


def test_a_translation_without_numbers_is_refused_by_its_frame(crops: Crops) -> None:
    rows = crops.split("test")
    with pytest.raises(BadInput, match=f"{rows['frame'].iloc[1]} has values that are no numbers"):
        list(
            prediction.predict(
                _Broken(), crops, rows, sees=Still, text=None, batch_size=2, device=CPU
            )
        )
