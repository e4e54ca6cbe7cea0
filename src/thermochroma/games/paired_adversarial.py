"""The game of the conditional lineage: one critic sees thermal and visible together."""

from collections.abc import Callable, Iterator, Mapping

from jaxtyping import Float
from torch import Tensor, cat, nn

from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Batch, Still
from thermochroma.contract.method import Game, Progress, Translator, Turn
from thermochroma.losses.adversarial import Criterion
from thermochroma.losses.perceptual import FeatureNetwork, perceptual
from thermochroma.losses.pixel import absolute, total_variation
from thermochroma.networks.blocks import spread_channels

Terms = Callable[[Image, Image], Mapping[str, Float[Tensor, " b"]]]
"""Terms of an output and its target, both in [-1, 1], by name."""


class PairedAdversarialGame(Game[Batch[Still]]):
    """Game of a critic on real and fake pairs; then the translator: content, adversarial, and `terms`.

    critic: takes `thermal_channels` channels followed by three visible ones. pool: maps a batch of fake
    pairs to those that the critic sees, an `ImagePool` or the identity. terms: further terms of the
    method; if it is a module, its frozen networks move with the game.
    """

    def __init__(
        self,
        *,
        translator: Translator[Still],
        thermal_channels: int,
        critic: nn.Module,
        criterion: Criterion,
        pool: nn.Module,
        terms: Terms,
    ) -> None:
        super().__init__()
        self.translator, self.thermal_channels = translator, thermal_channels
        self.critic, self.criterion = critic, criterion
        self.pool = pool
        self.terms = terms

    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critic, "translator": self.translator}

    def turns(self, batch: Batch[Still], progress: Progress) -> Iterator[Turn]:
        thermal = spread_channels(batch.seen.thermal, self.thermal_channels)
        real, fake = batch.target, self.translator(batch.seen)
        real_pair, fake_pair = cat([thermal, real], dim=1), cat([thermal, fake], dim=1)
        shown = self.pool(fake_pair.detach())
        yield Turn(
            "critic",
            {
                "critic_real": self.criterion.real(self.critic(real_pair)),
                "critic_fake": self.criterion.fake(self.critic(shown)),
            },
        )
        yield Turn(
            "translator",
            {
                "content": absolute(fake, real),
                "adversarial": self.criterion.real(self.critic(fake_pair)),
                **self.terms(fake, real),
            },
        )


class PerceptualAndVariation(nn.Module):
    """Two terms of the lineage: distance in frozen features, and total variation of the output."""

    def __init__(self, features: FeatureNetwork) -> None:
        super().__init__()
        self.features = features

    def forward(self, output: Image, target: Image) -> Mapping[str, Float[Tensor, " b"]]:
        return {
            "perceptual": perceptual(self.features, output, target),
            "tv": total_variation(output),
        }


def no_terms(output: Image, target: Image) -> Mapping[str, Float[Tensor, " b"]]:
    """No terms beside content and adversarial, as in Pix2pix."""
    return {}
