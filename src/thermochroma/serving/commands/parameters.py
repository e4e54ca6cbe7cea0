"""The work of `parameters`."""

import sys
from argparse import Namespace

from thermochroma.config.params import read_params
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.serving.blocks import settings_in
from thermochroma.serving.parameter_table import parameter_table


def run(chosen: Namespace) -> None:
    """Print the table."""
    params = read_params(chosen.params)
    blocks = chosen.blocks or [one for one in params.methods if params.block_of(one) == one]
    for block in blocks:
        settings_in(params, block)
    sys.stdout.write(parameter_table(params, blocks, FrozenNetworks(chosen.weights)))
