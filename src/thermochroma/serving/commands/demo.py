"""The work of `demo`."""

import os
import sys
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from thermochroma.base.device import find_device
from thermochroma.base.memory import within_memory
from thermochroma.serving.demo import choices
from thermochroma.serving.demo_page import build, library, serve


def run(chosen: Namespace) -> None:
    """Serve the page until Ctrl-C; what was dropped and made is removed then."""
    gradio = library()
    models = choices(chosen.translators, chosen.data)
    is_slow = find_device().type == "cpu"
    with TemporaryDirectory(prefix="thermochroma-demo-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        page = build(gradio, models, chosen.data, Path(folder))
        with within_memory() if is_slow else nullcontext():
            address = serve(page, chosen.port)
            sys.stdout.write(f"{address} (Ctrl-C ends it)\n")
            sys.stdout.flush()
            try:
                Event().wait()
            except KeyboardInterrupt:
                sys.stdout.write("\n")
            finally:
                page.close(verbose=False)
