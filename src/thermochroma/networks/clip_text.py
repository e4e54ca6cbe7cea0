"""CLIP's text encoder, never trained here; read from a local folder, as `networks.frozen` reads VGG."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from safetensors import SafetensorError
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.networks.frozen import TENSORS, refuse_changed_weights, refuse_weights


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

    def __init__(self, folder: Path) -> None:
        """Read both from `folder`. Raises BadInput if a file or tensor is missing or misnamed."""
        # the library takes seconds to import, and only this class needs it
        from transformers import CLIPTextModel, CLIPTokenizer

        # without these the library would make an empty tokenizer, silently
        for name in ("config.json", "vocab.json", "merges.txt", TENSORS):
            if not (folder / name).is_file():
                refuse_weights(f"{folder / name} does not exist")
        refuse_changed_weights(folder)
        self.tokenizer: Any = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        try:
            model, report = CLIPTextModel.from_pretrained(
                folder, local_files_only=True, output_loading_info=True, dtype=torch.float32
            )
        except (SafetensorError, RuntimeError) as error:
            refuse_weights(f"{folder / TENSORS} cannot be read ({error})")
        faults = sorted(str(name) for names in report.values() for name in names)
        if faults:
            refuse_weights(
                f"{folder / TENSORS} has missing or misnamed tensors: {', '.join(faults[:4])}"
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
