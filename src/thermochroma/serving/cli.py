"""The command `thermochroma`: tasks that a person starts by hand, outside the pipeline.

A command has two modules of its name: in `arguments/`, imported always, and in `commands/`, whose `run` is
imported when it is asked for. So help comes at once, without torch.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from thermochroma.base.endings import one_sentence
from thermochroma.serving.arguments import (
    cluster,
    demo,
    diagram,
    export,
    frames,
    import_weights,
    models,
    new_dataset,
    new_method,
    parameters,
    publish,
    results,
    score,
    translate,
    verify,
)

TEXT: Final = "Tools for your own images and predictions, and for a look at methods and files."
COMMANDS: Final = (
    translate,
    demo,
    models,
    results,
    verify,
    frames,
    score,
    export,
    publish,
    import_weights,
    parameters,
    diagram,
    new_method,
    new_dataset,
    cluster,
)
"""Modules of arguments, in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exit with one sentence and status 1 for an error that a user can correct."""
    whole = parser()
    chosen, left = whole.parse_known_args(arguments)
    if left:
        # One mapping is one argument, and a shell hands its words over one by one.
        quotes = " (a value of several words stands in quotes: --tone 'window 7000 9000')"
        whole.error(f"unrecognized arguments: {' '.join(left)}{quotes if 'tone' in chosen else ''}")
    with one_sentence(again="run the command again"):
        import_module(f"thermochroma.serving.commands.{chosen.module}").run(chosen)


def parser() -> ArgumentParser:
    """Build the parser of all commands."""
    whole = ArgumentParser(prog="thermochroma", description=TEXT)
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for arguments in COMMANDS:
        module = arguments.__name__.rpartition(".")[2]
        command = commands.add_parser(
            module.replace("_", "-"), help=arguments.TEXT, description=arguments.TEXT
        )
        command.set_defaults(module=module)
        arguments.add(command)
    return whole


if __name__ == "__main__":
    main()
