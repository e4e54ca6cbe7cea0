"""What makes the examination quick: small forms of what its questions do not depend on."""

import pytest

from tests import examiner
from thermochroma.contract.settings import Settings
from thermochroma.methods import i2v_gan
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pretrained.write_weights import write_efficientnet, write_vgg

HALVINGS = 6


@pytest.fixture(scope="session")
def narrow_frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenNetworks:
    """Stand-ins a quarter as wide as those of `frozen`: all of their layers, for questions without golden
    values."""
    folder = tmp_path_factory.mktemp("narrow")
    for network in ("vgg16", "vgg19"):
        write_vgg(folder / network, network=network, kind="stand_in", stand_in_width_divisor=16)
    lite = folder / "efficientnet_lite0"
    write_efficientnet(lite, kind="stand_in", stand_in_width_divisor=16)
    return FrozenNetworks(folder)


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let forecasters halve six times, not seven (I2V-GAN) or eight (Recycle-GAN).

    Their windows are then 64 pixels, not 128 and 256, and one place is left inside as before. What is
    left out are one or two of the innermost pairs of layers, each made in a loop like the pair around it.
    """
    whole = examiner.settings_of

    def settings_of(block: str) -> Settings:
        settings = whole(block)
        if block != "recycle_gan":
            return settings
        game = settings.game.model_copy(update={"forecaster_halvings": HALVINGS})
        return settings.model_copy(update={"game": game})

    monkeypatch.setattr(examiner, "settings_of", settings_of)
    monkeypatch.setattr(i2v_gan, "FORECASTER_HALVINGS", HALVINGS)
