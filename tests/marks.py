"""Parts of a document that the code writes, between `<!-- name -->` and `<!-- /name -->`."""

import re
from collections.abc import Iterable


def filled(text: str, parts: Iterable[tuple[str, str]], *, page: str) -> str:
    """The text with every part made anew. parts: name and content. page: its name, for the error."""
    for name, part in parts:
        mark = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
        new = f"<!-- {name} -->\n{part}<!-- /{name} -->"
        text, count = mark.subn(new.replace("\\", r"\\"), text)
        assert count == 1, f"{page} needs <!-- {name} --> and <!-- /{name} -->, once"
    return text
