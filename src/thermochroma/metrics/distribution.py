"""FID and KID: distances of all predicted images together from all true ones. One number per split.

FID: Heusel et al. 2017, Eq. 6. KID: Binkowski et al. 2018, Section 4. Features are those of torchvision's
Inception v3 before its last layer, of images resized in floats with antialiasing (Parmar et al. 2022);
the TensorFlow network of most papers gives other numbers, so compare them between our own rows only. KID
is also taken of other features, under another name. All are meaningful with published weights only.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.base.stored_tensors import read_state

FILE: Final = "inception.pth"
"""Name of its weights in the folder that the stage `weights` writes."""
SIDE: Final = 299
"""Side, in pixels, of the images that the network was trained on."""
DEGREE: Final = 3
"""Degree of KID's polynomial kernel."""
CPU: Final = torch.device("cpu")
LEAST: Final = 2
"""Least number of images: one alone has no spread."""
BLOCK: Final = 1024
"""Rows of KID's kernel in memory at once."""
LEAST_IN_SUBSETS: Final = 50
"""Least number of images for a KID over subsets: of fewer, docs/results/judges.md shows, chance decides."""
SUBSETS: Final = 100
LARGEST_SUBSET: Final = 1000
SEED: Final = 0
"""Seed of the draw of subsets, the same for every row of every table."""

FeatureMatrix = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]


class InceptionFeatures:
    """Inception v3 without its last layer: 2,048 features of each image."""

    def __init__(self, path: Path, device: torch.device = CPU) -> None:
        """Read the state dict that torchvision publishes from `path`. Raises BadInput for any other."""
        from torchvision.models import Inception3  # here: slow, and of no use without the weights

        needed = (
            "Inception v3's state dict as torchvision publishes it, all its tensors and no more"
        )
        remedy = "remove it, and fetch it again by `dvc repro -f weights`"
        network = Inception3(transform_input=True, init_weights=False)
        state = read_state(path, needed=needed, remedy=remedy)
        with reading(path, needed=needed, remedy=remedy):
            network.load_state_dict(state)
        network.fc = nn.Identity()
        self.network, self.device = network.eval().requires_grad_(False).to(device), device

    @torch.no_grad()
    def __call__(self, images: UInt8[Tensor, "b c h w"]) -> FeatureMatrix:
        """Features of 8-bit images: sRGB, or thermal ones as grey."""
        resized = np.stack([resize(image) for image in images.cpu().numpy()])
        # torchvision's own step from [0, 1] by ImageNet's mean and spread, undone by `transform_input`
        mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        unit = torch.from_numpy(resized).expand(-1, 3, -1, -1) / 255
        return self.network(((unit - mean) / std).to(self.device)).cpu().double().numpy()


def resize(image: UInt8[np.ndarray, "c h w"], side: int = SIDE) -> Float[np.ndarray, "c side side"]:
    """Resize by Pillow's bicubic filter on floats, with antialiasing and never rounded to 8 bits."""
    size = (side, side)
    channels = [Image.fromarray(channel.astype(np.float32)) for channel in image]
    return np.stack([np.asarray(one.resize(size, Image.Resampling.BICUBIC)) for one in channels])


def fid(prediction: FeatureMatrix, truth: Others) -> float:
    """Fréchet distance of the Gaussians with the features' means and covariances; 0 if they are equal.

    If the covariances are X'X and Y'Y, the trace of the root of their product is the sum of the singular
    values of XY': no matrix root is needed, and for few images the matrix is small.
    Raises BadInput for fewer than two images.
    """
    _refuse_few(prediction, truth)
    gap = prediction.mean(0) - truth.mean(0)
    one, other = _factor(prediction), _factor(truth)
    shared = np.linalg.norm(one @ other.T, "nuc")
    return float(gap @ gap + np.square(one).sum() + np.square(other).sum() - 2 * shared)


def _factor(features: FeatureMatrix) -> Float[np.ndarray, "k d"]:
    """Factor X of the covariance X'X, with no more rows than columns."""
    count, width = features.shape
    centred = (features - features.mean(0)) / np.sqrt(count - 1)
    if count <= width:
        return centred
    triangle: FeatureMatrix = np.asarray(np.linalg.qr(centred, mode="r"))
    return triangle


def kid(prediction: FeatureMatrix, truth: Others) -> float:
    """Unbiased squared MMD with the kernel (x.y / d + 1)^3, over all images; may fall below 0.

    Raises BadInput for fewer than two images.
    """
    _refuse_few(prediction, truth)
    within = sum(_mean_off_diagonal(features) for features in (prediction, truth))
    return within - 2 * _kernel_sum(prediction, truth) / (len(prediction) * len(truth))


def kid_over_subsets(prediction: FeatureMatrix, truth: FeatureMatrix) -> tuple[float, float]:
    """Mean and standard deviation, over seeded subsets of half the images, of KID between pairs.

    Rows are pairs: the i-th prediction is of the i-th truth. No image is compared with its own pair, which
    keeps the estimate unbiased though the two belong together (Gretton et al. 2012, Eq. 4): of the
    truth itself it is 0. Of halves, the deviation is that of the estimate from all images (above
    2,000 images, of `LARGEST_SUBSET`). Raises BadInput for fewer than `LEAST_IN_SUBSETS` images.
    """
    count = len(truth)
    if count < LEAST_IN_SUBSETS or len(prediction) != count:
        raise BadInput(
            given=f"{len(prediction)} predicted and {count} true images",
            needed=f"as many of each, at least {LEAST_IN_SUBSETS}: fewer say little of a distribution",
            remedy="score more frames",
        )
    random, size = np.random.default_rng(SEED), min(count // 2, LARGEST_SUBSET)
    drawn = (random.choice(count, size, replace=False) for _ in range(SUBSETS))
    found = [_kid_of_pairs(prediction[some], truth[some]) for some in drawn]
    return float(np.mean(found)), float(np.std(found, ddof=1))


def _kid_of_pairs(prediction: FeatureMatrix, truth: FeatureMatrix) -> float:
    within = sum(_mean_off_diagonal(features) for features in (prediction, truth))
    return within - 2 * _mean_off_diagonal(prediction, truth)


def _kernel_sum(one: FeatureMatrix, other: Others) -> float:
    """Sum of the kernel, block by block: for tens of thousands of images it would fill the memory."""
    blocks = (one[start : start + BLOCK] for start in range(0, len(one), BLOCK))
    return sum(float(((block @ other.T / one.shape[1] + 1) ** DEGREE).sum()) for block in blocks)


def _mean_off_diagonal(one: FeatureMatrix, other: FeatureMatrix | None = None) -> float:
    """Mean of the kernel of each row with every row of `other`, or of `one`, but that of its own place."""
    other = one if other is None else other
    count, products = len(one), (one * other).sum(1)
    diagonal = float(((products / one.shape[1] + 1) ** DEGREE).sum())
    return (_kernel_sum(one, other) - diagonal) / (count * (count - 1))


def _refuse_few(prediction: FeatureMatrix, truth: Others) -> None:
    if min(len(prediction), len(truth)) < LEAST:
        raise BadInput(
            given=f"{len(prediction)} predicted and {len(truth)} true images",
            needed="at least two of each, better thousands: FID and KID compare the spread of images",
            remedy="score more frames",
        )
