"""Numbers that the papers printed, by another protocol; shown apart, and only for their data set."""

from dataclasses import dataclass
from typing import Final

SOURCE: Final = (
    "Jiang et al., Intelligence & Robotics 2025, 5(1), 34–49, Tables 1–3; "
    "all methods re-run by its authors"
)

PAPER_RULE: Final = (
    "Protocol `audited` is ours, the same for all rows, and holds wherever nothing else is said. Protocol "
    "`paper` is the papers' own rule as far as it is known: SSIM over uniform windows of 7 pixels, which "
    "the released code of LKAT-GAN prints; whether their PSNR is the mean of images or that of the "
    "pooled error is not said, so both are shown. Nor is it said which weights were scored: the paper "
    "of CMMF-Net shows scores of the test set after each of its last five epochs, and public code keeps "
    "the weights that did best on the test set. So `chosen on the test set` is the snapshot with the "
    "highest PSNR on the same images that its column scores, which makes the scores too good; everything "
    "else is of the last weights. Never compare across the two protocols."
)


@dataclass(frozen=True)
class Published:
    """Scores as printed, to the digits printed. ssim has no unit, psnr is in dB."""

    ssim: float
    psnr: float


PUBLISHED: Final[dict[str, dict[str, dict[str, Published]]]] = {
    "kaist": {
        "day": {
            "pix2pix": Published(0.50, 15.10),
            "cyclegan": Published(0.30, 12.17),  # the paper cites Recycle-GAN here
            "scgan": Published(0.53, 15.48),
            "tic_cgan": Published(0.54, 15.52),
            "pearlgan": Published(0.43, 14.83),
            "mugan": Published(0.54, 15.55),
            "lkat_gan": Published(0.54, 15.79),
            "cmmf_net": Published(0.58, 16.22),
            "cmmf_net_no_text": Published(0.57, 16.10),
            "cmmf_net_no_interaction": Published(0.57, 16.13),
        },
    },
    "irvi": {
        "traffic": {
            "i2v_gan": Published(0.60, 17.02),
            "scgan": Published(0.65, 17.72),
            "tic_cgan": Published(0.62, 16.94),
            "pearlgan": Published(0.60, 16.34),
            "mugan": Published(0.66, 18.42),
            "lkat_gan": Published(0.65, 17.43),
            "cmmf_net": Published(0.68, 18.84),
        },
        "monitoring": {
            "i2v_gan": Published(0.46, 17.30),
            "scgan": Published(0.50, 16.55),
            "tic_cgan": Published(0.52, 17.65),
            "pearlgan": Published(0.48, 13.84),
            "mugan": Published(0.46, 14.72),
            "lkat_gan": Published(0.58, 18.51),
            "cmmf_net": Published(0.56, 18.39),
        },
    },
}
"""Printed scores by data set, part of its test set, and method (the name of its file or ablation)."""
