"""Who looks on while a game is played: the progress bar, and whatever comes round by pictures."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Never

from tqdm import tqdm

from thermochroma.training.state import Training


class Progress:
    """A bar over the pictures to be shown, with the newest readings."""

    def __init__(self, bar: "tqdm[Never]") -> None:
        self.bar = bar

    def __call__(self, training: Training, shown: int) -> None:
        self.bar.update(shown)
        if training.history.rows:
            newest = training.history.rows[-1]
            terms = {name.split("/")[-1]: value for name, value in newest.items() if "/" in name}
            self.bar.set_postfix({name: f"{value:.3g}" for name, value in terms.items()})


@contextmanager
def progress(training: Training, *, title: str) -> Iterator[Progress]:
    """A bar that begins where the training stands."""
    clock = training.clock
    with tqdm(total=clock.of, initial=clock.images, desc=title, unit="picture") as bar:
        yield Progress(bar)


class Every:
    """Calls `act` each time that many pictures have been shown, and at the end."""

    def __init__(self, images: int, act: Callable[[Training], None]) -> None:
        self.images, self.act = images, act

    def __call__(self, training: Training, shown: int) -> None:
        clock = training.clock
        if clock.images % self.images < shown or clock.images == clock.of:
            self.act(training)


class At:
    """Calls `act` after the first batch by which one of these numbers of pictures has been shown."""

    def __init__(self, images: Collection[int], act: Callable[[Training], None]) -> None:
        self.images, self.act = images, act

    def __call__(self, training: Training, shown: int) -> None:
        now = training.clock.images
        if any(now - shown < one <= now for one in self.images):
            self.act(training)
