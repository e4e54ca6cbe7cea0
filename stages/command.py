"""From a stage's function to its command line, and from what goes wrong to one sentence."""

import inspect
from argparse import ArgumentParser
from collections.abc import Callable

from stages.watch import AGAIN
from thermochroma.base.endings import one_sentence


def run(main: Callable[..., None]) -> None:
    """Call `main` with its parameters as options: `--name value`, of type str or Path.

    What a user can mend ends with one sentence and status 1.
    """
    parser = ArgumentParser(description=inspect.getdoc(main))
    for name, parameter in inspect.signature(main, eval_str=True).parameters.items():
        parser.add_argument(f"--{name}", type=parameter.annotation, required=True)
    arguments = vars(parser.parse_args())
    with one_sentence(again=AGAIN):
        main(**arguments)
