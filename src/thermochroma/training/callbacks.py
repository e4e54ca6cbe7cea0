"""Callbacks of the training loop: the progress bar, and actions after given numbers of images."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Never

from tqdm import tqdm

from thermochroma.training.state import Training


class ProgressBar:
    """A bar over the images to be shown, with the newest readings."""

    def __init__(self, bar: "tqdm[Never]") -> None:
        self.bar = bar

    def __call__(self, training: Training, shown: int) -> None:
        self.bar.update(shown)
        if training.metric_log.rows:
            newest = training.metric_log.rows[-1]
            terms = {name.split("/")[-1]: value for name, value in newest.items() if "/" in name}
            self.bar.set_postfix({name: f"{value:.3g}" for name, value in terms.items()})


@contextmanager
def progress_bar(training: Training, *, title: str) -> Iterator[ProgressBar]:
    """A bar that begins at the images that have been shown already."""
    progress = training.progress
    with tqdm(total=progress.of, initial=progress.images, desc=title, unit="image") as bar:
        yield ProgressBar(bar)


class Every:
    """Callback that calls `act` after every `images` images shown, and at the end."""

    def __init__(self, images: int, act: Callable[[Training], None]) -> None:
        self.images, self.act = images, act

    def __call__(self, training: Training, shown: int) -> None:
        progress = training.progress
        if progress.images % self.images < shown or progress.images == progress.of:
            self.act(training)


class At:
    """Callback that calls `act` after each batch that reaches one of these numbers of images shown."""

    def __init__(self, images: Collection[int], act: Callable[[Training], None]) -> None:
        self.images, self.act = images, act

    def __call__(self, training: Training, shown: int) -> None:
        now = training.progress.images
        if any(now - shown < one <= now for one in self.images):
            self.act(training)
