"""Which further rows a shipped translator has: other references or other sentences, the same weights."""

import json
from collections.abc import Mapping

from thermochroma.export.artifact import method_of
from thermochroma.export.metadata import Label
from thermochroma.loading.policies import OtherPolicy, other_policies


def policies_of(label: Label) -> Mapping[str, OtherPolicy]:
    """The rows that stand below that of a translator, by name."""
    return other_policies(method_of(label).sees, heeds_text=heeds_text(label))


def heeds_text(label: Label) -> bool:
    """Whether what the translator paints can depend on its text; what the method says of its settings."""
    method = method_of(label)
    if method.heeds_text is None:
        return True
    return method.heeds_text(method.settings.model_validate_json(json.dumps(label.settings)))
