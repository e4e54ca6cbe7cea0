"""The contrastive term on patches (Park et al., "CUT", ECCV 2020). One value per image."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base.tensors import at_least_float32


def patch_nce(
    queries: Float[Tensor, "b n d"], keys: Float[Tensor, "b n d"], *, temperature: float
) -> Float[Tensor, " b"]:
    """Cross entropy of finding, among the n keys of the same image, the one at the query's place.

    Both are scaled to unit length; similarity is their product divided by `temperature`. Mean over
    queries. No gradient reaches the keys. In float32 at least, also under autocast.
    """
    with torch.autocast(queries.device.type, enabled=False):
        sought = F.normalize(at_least_float32(queries), dim=-1)
        known = F.normalize(at_least_float32(keys.detach()), dim=-1)
        likeness = sought @ known.transpose(1, 2) / temperature
        return -F.log_softmax(likeness, dim=-1).diagonal(dim1=1, dim2=2).mean(1)
