"""The game of the conditional lineage: one critic sees thermal and visible together."""

from collections.abc import Callable, Iterator, Mapping

from jaxtyping import Float
from torch import Tensor, cat, nn

from thermochroma.base.tensors import Picture
from thermochroma.contract.batch import Batch, Still
from thermochroma.contract.method import Clock, Game, Translator, Turn
from thermochroma.losses.adversarial import Criterion
from thermochroma.losses.perceptual import Features, perceptual
from thermochroma.losses.pixel import absolute, total_variation
from thermochroma.networks.blocks import spread_channels

Terms = Callable[[Picture, Picture], Mapping[str, Float[Tensor, " b"]]]
"""What a painted picture and its target cost, by name."""


class PairedAdversarialGame(Game[Batch[Still]]):
    """The critic on true and painted pairs; then the translator: content, adversarial, and `terms`.

    critic: takes `thermal_channels` and behind them three visible ones. history: what the critic is
    shown for a batch of painted pairs, a `History` or the identity. terms: those of the method's own;
    if it is a module, its frozen networks move with the game.
    """

    def __init__(
        self,
        *,
        translator: Translator[Still],
        thermal_channels: int,
        critic: nn.Module,
        criterion: Criterion,
        history: nn.Module,
        terms: Terms,
    ) -> None:
        super().__init__()
        self.translator, self.thermal_channels = translator, thermal_channels
        self.critic, self.criterion = critic, criterion
        self.history = history
        self.terms = terms

    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critic, "translator": self.translator}

    def turns(self, batch: Batch[Still], clock: Clock) -> Iterator[Turn]:
        thermal = spread_channels(batch.seen.thermal, self.thermal_channels)
        real, fake = batch.target, self.translator(batch.seen)
        real_pair, fake_pair = cat([thermal, real], dim=1), cat([thermal, fake], dim=1)
        shown = self.history(fake_pair.detach())
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
    """Two terms of the lineage: distance in frozen features, and total variation of the painted."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        self.features = features

    def forward(self, painted: Picture, target: Picture) -> Mapping[str, Float[Tensor, " b"]]:
        return {
            "perceptual": perceptual(self.features, painted, target),
            "tv": total_variation(painted),
        }


def no_terms(painted: Picture, target: Picture) -> Mapping[str, Float[Tensor, " b"]]:
    """Nothing beside content and adversarial, as in Pix2pix."""
    return {}
