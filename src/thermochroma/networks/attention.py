"""Multi-head attention and the transformer's perceptron."""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F


class MultiHeadAttention(nn.Module):
    """Attention of queries over keys that are also the values; biased projections.

    query_width, key_width: widths of the input tokens. width: of the output tokens.
    """

    def __init__(self, *, width: int, heads: int, query_width: int, key_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(query_width, width)
        self.key = nn.Linear(key_width, width)
        self.value = nn.Linear(key_width, width)
        self.out = nn.Linear(width, width)
        init_linear(self)

    def forward(
        self,
        queries: Float[Tensor, "b q n"],
        keys: Float[Tensor, "b k m"],
        key_mask: Bool[Tensor, "b k"] | None = None,
    ) -> Float[Tensor, "b q w"]:
        """Attend to the keys. key_mask: False for keys that are left out."""
        q, k, v = (
            split_heads(part, self.heads)
            for part in (self.query(queries), self.key(keys), self.value(keys))
        )
        mask = None if key_mask is None else key_mask[:, None, None, :]
        return self.out(join_heads(F.scaled_dot_product_attention(q, k, v, mask)))


class Perceptron(nn.Module):
    """Linear, exact GELU, linear; the hidden layer is `growth` times as wide."""

    def __init__(self, width: int, *, growth: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(width, growth * width), nn.GELU(), nn.Linear(growth * width, width)
        )
        init_linear(self)

    def forward(self, tokens: Float[Tensor, "b n w"]) -> Float[Tensor, "b n w"]:
        return self.body(tokens)


def split_heads(tokens: Float[Tensor, "b n w"], heads: int) -> Float[Tensor, "b heads n d"]:
    """Split the width into heads."""
    return tokens.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(tokens: Float[Tensor, "b heads n d"]) -> Float[Tensor, "b n w"]:
    """Undo `split_heads`."""
    return tokens.transpose(1, 2).flatten(-2)


def init_linear(network: nn.Module) -> None:
    """Draw weights of linear layers Xavier-uniform, set biases to 0, as masked autoencoders start."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
