"""Further rows of a deployed translator: other references or other sentences, the same weights."""

from collections.abc import Mapping

from thermochroma.export.artifact import method_of, settings_of
from thermochroma.export.metadata import Metadata
from thermochroma.loading.policies import OtherPolicy, other_policies


def policies_of(metadata: Metadata) -> Mapping[str, OtherPolicy]:
    """Further rows of a translator, by name."""
    return other_policies(method_of(metadata).sees, uses_text=uses_text(metadata))


def uses_text(metadata: Metadata) -> bool:
    """Whether the output can depend on the text: the method's answer for its settings; True by default."""
    asks = method_of(metadata).uses_text
    return asks is None or asks(settings_of(metadata))
