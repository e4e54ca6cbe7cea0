"""Line-ups, which several data sets share, and single trainings: what is trained on which data set."""

from collections.abc import Mapping, Sequence

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import refuse_unknown
from thermochroma.config.names import Name
from thermochroma.contract.settings import Strict


class Training(Strict):
    """One method on one data set, beside the line-ups."""

    dataset: Name
    method: Name


class Repeat(Strict):
    """A line-up entry that is another one trained once more, under another seed."""

    repeat_of: Name
    seed: int


class LineUps(Strict):
    """The keys of params.yaml that say what is trained on which data set."""

    datasets: tuple[Name, ...]
    lineup_datasets: tuple[Name, ...]
    """Data sets on which the line-up is trained; some of `datasets`."""
    lineup: tuple[Name, ...]
    video_datasets: tuple[Name, ...]
    """Data sets on which the video line-up is trained as well; some of `datasets`."""
    video_lineup: tuple[Name, ...]
    """Methods that learn from consecutive frames."""
    trainings: Mapping[str, Training]
    """Single trainings beside the line-ups, by the names of their stages."""

    def trained_on(self, dataset: str) -> tuple[str, ...]:
        """The entries that are trained on a data set, in the order of tables."""
        shared = self.lineup if dataset in self.lineup_datasets else ()
        video = self.video_lineup if dataset in self.video_datasets else ()
        single = (one.method for one in self.trainings.values() if one.dataset == dataset)
        return (*shared, *video, *single)

    def needs_video(self, dataset: str) -> tuple[str, ...]:
        """Entries of the video line-up that a data set with the other line-up does not have."""
        trained = self.trained_on(dataset)
        lacking = self.video_lineup if dataset in self.lineup_datasets else ()
        return tuple(name for name in lacking if name not in trained)


def refuse_unknown_lineups(lineups: LineUps, methods: Sequence[str]) -> None:
    """Raise BadInput for what is to be trained and is not there, is there twice, or nowhere."""
    datasets = sorted(lineups.datasets)
    for key, entries in (("lineup", lineups.lineup), ("video_lineup", lineups.video_lineup)):
        for name in entries:
            refuse_unknown(name, sorted(methods), kind="block of `methods`", key=key)
    for key, some in (
        ("lineup_datasets", lineups.lineup_datasets),
        ("video_datasets", lineups.video_datasets),
    ):
        for name in some:
            refuse_unknown(name, datasets, kind="entry of `datasets`", key=key)
    for name, one in lineups.trainings.items():
        key = f"trainings.{name}"
        refuse_unknown(one.dataset, datasets, kind="entry of `datasets`", key=f"{key}.dataset")
        refuse_unknown(one.method, sorted(methods), kind="block of `methods`", key=f"{key}.method")
        if name != f"{one.dataset}-{one.method}":
            raise BadInput(
                given=f"`{key}` in params.yaml trains `{one.method}` on `{one.dataset}`",
                needed="a name that says so: it becomes the name of stages",
                remedy=f"rename it `{one.dataset}-{one.method}`",
            )
    for dataset in lineups.datasets:
        _refuse_none_or_doubles(lineups.trained_on(dataset), dataset)


def _refuse_none_or_doubles(trained: Sequence[str], dataset: str) -> None:
    """Raise BadInput if two lines ask for one training, or none for any: DVC could not go on then."""
    if not trained:
        raise BadInput(
            given=f"`{dataset}` of `datasets` in params.yaml has no method",
            needed="at least one training on each data set",
            remedy=f"add `{dataset}` to `lineup_datasets`, or a line to `trainings`, such as "
            f"`{dataset}-pix2pix: {{dataset: {dataset}, method: pix2pix}}`",
        )
    double = next((name for name in trained if trained.count(name) > 1), None)
    if double is not None:
        raise BadInput(
            given=f"`{double}` is to be trained on `{dataset}` twice",
            needed="each method once in `lineup`, `video_lineup` and `trainings` together",
            remedy=f"remove `trainings.{dataset}-{double}`, or one of the two lines of the line-up",
        )


def refuse_twins(lineup: Sequence[str], repeats: Mapping[str, Repeat], seed: int) -> None:
    """Raise BadInput if a repeat stands alone, or has the seed of another run of its block."""
    taken = {(name, seed) for name in lineup if name not in repeats}
    for name in lineup:
        if name not in repeats:
            continue
        one = repeats[name]
        if one.repeat_of not in lineup:
            raise BadInput(
                given=f"the line-up has `{name}` but not `{one.repeat_of}`, which it repeats",
                needed="both in the same line-up: their runs are one row of the tables",
                remedy=f"add `{one.repeat_of}`, or leave `{name}` out",
            )
        if (one.repeat_of, one.seed) in taken:
            raise BadInput(
                given=f"`{name}` repeats `{one.repeat_of}` under seed {one.seed}, which another run has",
                needed="a seed of its own for every run of a block",
                remedy=f"change `methods.{name}.seed`",
            )
        taken.add((one.repeat_of, one.seed))
