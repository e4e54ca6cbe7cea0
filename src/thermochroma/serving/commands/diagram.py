"""The work of `diagram`."""

import sys
from argparse import Namespace
from typing import Final

from torch._subclasses.fake_tensor import FakeTensorMode

from thermochroma.config.params import read_params
from thermochroma.contract.dummy_input import dummy_input
from thermochroma.contract.method import load_method
from thermochroma.export.artifact import build_translator
from thermochroma.serving.blocks import settings_in
from thermochroma.serving.diagram import draw
from thermochroma.serving.parameter_table import TEXT_WIDTH

SIDE: Final = 256  # pixels: of the input that is drawn


def run(chosen: Namespace) -> None:
    """Print the flowchart."""
    settings = settings_in(read_params(chosen.params), chosen.block)
    method = load_method(settings.method)
    with FakeTensorMode():  # shapes without memory or arithmetic
        translator = build_translator(method, settings, scale=1.0, text_width=TEXT_WIDTH)
        seen = dummy_input(method.sees, height=SIDE, width=SIDE, text_width=TEXT_WIDTH)
        sys.stdout.write(draw(translator.eval(), seen))
