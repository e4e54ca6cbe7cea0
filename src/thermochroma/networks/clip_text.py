"""CLIP's text encoder, never trained here; read from a local folder, as `networks.frozen` reads VGG."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.networks.frozen import (
    NEEDED,
    REMEDY,
    TENSORS,
    refuse_changed_weights,
    refuse_weights,
)

CONFIG, VOCABULARY, MERGES = "config.json", "vocab.json", "merges.txt"
ENDS: Final = {"<|startoftext|>", "<|endoftext|>"}
MOST: Final = {
    "vocab_size": 1 << 18,
    "hidden_size": 1 << 12,
    "intermediate_size": 1 << 14,
    "num_hidden_layers": 64,
    "num_attention_heads": 64,
    "max_position_embeddings": 1 << 12,
}
"""Bounds of a config, several times the largest CLIP's."""


@dataclass(frozen=True)
class EncodedText:
    """Features of some sentences.

    features: the tokens after the final LayerNorm. mask: true up to and including end-of-text;
    features beyond it have no meaning.
    """

    features: Float[Tensor, "n 77 w"]
    mask: Bool[Tensor, "n 77"]


class TextEncoder:
    """CLIP's text transformer with its tokenizer (Radford et al., 2021), before the projection."""

    def __init__(self, folder: Path, *, remedy: str = REMEDY) -> None:
        """Read both from `folder`. Raises BadInput if a file or tensor is missing or misnamed."""
        # the library takes seconds to import, and only this class needs it
        from transformers import CLIPTextModel, CLIPTokenizer

        _refuse_faulty(folder, remedy)
        refuse_changed_weights(folder, remedy=remedy)
        with reading(folder / VOCABULARY, needed=NEEDED, remedy=remedy):
            self.tokenizer: Any = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        with reading(folder / TENSORS, needed=NEEDED, remedy=remedy):
            model, report = CLIPTextModel.from_pretrained(
                folder,
                local_files_only=True,
                output_loading_info=True,
                dtype=torch.float32,
                use_safetensors=True,
            )
        faults = sorted(str(name) for names in report.values() for name in names)
        if faults:
            refuse_weights(
                f"{folder / TENSORS} has missing or misnamed tensors: {', '.join(faults[:4])}",
                remedy=remedy,
            )
        self.model: Any = model.eval().requires_grad_(False)
        self.context = int(model.config.max_position_embeddings)
        self.width = int(model.config.hidden_size)

    @torch.no_grad()
    def encode(self, sentences: Sequence[str]) -> EncodedText:
        """Encode each sentence by itself; the others in the list have no influence.

        Raises BadInput for a sentence longer than the context: no sentence is ever cut.
        """
        tokens = self.tokenizer(
            list(sentences), padding="max_length", max_length=self.context, truncation=False
        )
        for sentence, ids in zip(sentences, tokens["input_ids"], strict=True):
            if len(ids) > self.context:
                raise BadInput(
                    given=f"the sentence {sentence!r} has {len(ids)} tokens",
                    needed=f"at most {self.context}, start and end included",
                    remedy="shorten it",
                )
        ids = torch.tensor(tokens["input_ids"])
        # no attention mask: the transformer is causal, so that padding never reaches the sentence
        features = self.model(input_ids=ids).last_hidden_state
        return EncodedText(features, torch.tensor(tokens["attention_mask"], dtype=torch.bool))


def _refuse_faulty(folder: Path, remedy: str) -> None:
    """Raise BadInput for files from which the library would make something else, silently or at length.

    Without one of them, or with a vocabulary that lacks the two ends of a sentence, it would make a
    tokenizer that knows nothing; a config that asks for more than MOST would take all memory.
    """
    for name in (CONFIG, VOCABULARY, MERGES, TENSORS):
        if not (folder / name).is_file():
            refuse_weights(f"{folder / name} does not exist", remedy=remedy)
    config, vocabulary = (_mapping(folder / name, remedy) for name in (CONFIG, VOCABULARY))
    with reading(folder / MERGES, needed=NEEDED, remedy=remedy):
        (folder / MERGES).read_text(encoding="utf-8")
    for name, most in MOST.items():
        if (size := config.get(name)) is not None and not (type(size) is int and 0 < size <= most):
            refuse_weights(
                f"`{name}` in {folder / CONFIG} is {size!r}, and not from 1 to {most}",
                remedy=remedy,
            )
    size = config.get("vocab_size", MOST["vocab_size"])
    odd = [one for one in vocabulary.values() if not (type(one) is int and 0 <= one < size)]
    if odd or not vocabulary.keys() >= ENDS:
        refuse_weights(
            f"{folder / VOCABULARY} has "
            + (f"the place {odd[0]!r}, beyond the weights" if odd else f"no {' or '.join(ENDS)}"),
            remedy=remedy,
        )


def _mapping(path: Path, remedy: str) -> dict[str, Any]:
    with reading(path, needed=NEEDED, remedy=remedy):
        found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        refuse_weights(f"{path} holds no names with values", remedy=remedy)
    return found
