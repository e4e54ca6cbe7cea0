"""What makes the examination quick: small forms of what its questions do not depend on."""

import pytest

from tests import examiner
from tests.stand_ins import stand_ins
from thermochroma.contract.settings import Settings
from thermochroma.methods import i2v_gan
from thermochroma.networks.frozen import FrozenNetworks

HALVINGS = 6


@pytest.fixture(scope="session")
def narrow_frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenNetworks:
    """Stand-ins a quarter as wide as those of `frozen`: all of their layers, for questions without golden
    values."""
    return stand_ins(tmp_path_factory.mktemp("narrow"), divisor=16)


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
