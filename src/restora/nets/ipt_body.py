"""The body of IPT: an encoder and a decoder over the patches of a feature map.

Model, n the normalisation of a token, A(q, k, v) attention of several heads without biases, e_t the embedding of task t
(a vector for each token), P the positions' embedding:

    tokens: the p×p patches of the features, T; T ← W T + b + T + P
    encoder layer:  G = T + A(n(T), n(T), n(T)),   T ← G + MLP(n(G));   after the last, M
    decoder layer:  G = T + A(n(T) + e_t, n(T) + e_t, n(T)),   G ← G + A(n(G) + e_t, M, M),   T ← G + MLP(n(G))
    out: T ← T + MLP(T), laid back

MLP is linear, relu, linear through four times the channels. The decoder starts from M as well.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, pixel_shuffle, pixel_unshuffle, scaled_dot_product_attention

from restora.nets.beginnings import silence

EXPANSION = 4


class Body(nn.Module):
    """Features (b, width, size, size) to features of the same shape, for one of several tasks."""

    def __init__(
        self, width: int, size: int, patch: int, layers: tuple[int, int], heads: int, tasks: Sequence[str]
    ) -> None:
        """Draw fresh weights.

        Args:
            width: channels of the features.
            size: side of the feature map, a multiple of the patch.
            patch: side p of a patch; a token has width·p² numbers, a multiple of the heads.
            layers: of the encoder and of the decoder.
            heads: of the attention.
            tasks: names of the task embeddings.
        """
        super().__init__()
        tokens, dim = (size // patch) ** 2, width * patch**2
        self.patch = patch
        self.linear_encoding = nn.Linear(dim, dim)
        self.positions = nn.Parameter(torch.randn(tokens, dim))
        self.tasks = nn.ParameterDict({task: nn.Parameter(torch.randn(tokens, dim)) for task in tasks})
        self.encoder = nn.ModuleList(EncoderLayer(dim, heads) for _ in range(layers[0]))
        self.decoder = nn.ModuleList(DecoderLayer(dim, heads) for _ in range(layers[1]))
        self.out = Perceptron(dim)

    @torch.no_grad()
    def hand_on(self, planes: int) -> None:
        """Make fresh weights leave the first planes of the features as they are."""
        numbers = planes * self.patch**2
        self.positions[:, :numbers] = 0
        silence(self.linear_encoding, numbers)
        for module in self.modules():
            if isinstance(module, Attention):
                silence(module.out, numbers)
            elif isinstance(module, Perceptron):
                silence(module[-1], numbers)

    def forward(self, features: Float[Tensor, "b c s s"], task: str) -> Float[Tensor, "b n d"]:
        """The tokens at the end, row by row; :meth:`laid_back` makes a feature map of them."""
        tokens = pixel_unshuffle(features, self.patch).flatten(2).transpose(1, 2)
        tokens = self.linear_encoding(tokens) + tokens + self.positions
        for layer in self.encoder:
            tokens = layer(tokens)
        memory = tokens
        for layer in self.decoder:
            tokens = layer(tokens, memory, self.tasks[task])
        return tokens + self.out(tokens)

    def laid_back(self, tokens: Float[Tensor, "b n d"]) -> Float[Tensor, "b c s s"]:
        """Each token as its patch, where it came from."""
        side = round(tokens.shape[1] ** 0.5)
        return pixel_shuffle(tokens.transpose(1, 2).unflatten(2, (side, side)), self.patch)


class Perceptron(nn.Sequential):
    """Linear, relu, linear, through four times the channels."""

    def __init__(self, dim: int) -> None:
        """Draw fresh weights."""
        super().__init__(nn.Linear(dim, EXPANSION * dim), nn.ReLU(), nn.Linear(EXPANSION * dim, dim))


class Attention(nn.Module):
    """Attention of several heads, without biases.

    The maps to queries, keys and values are kept as (3·heads, d/heads, d): so a file says how many heads there are.
    """

    def __init__(self, dim: int, heads: int) -> None:
        """Draw fresh weights (Xavier's for queries, keys and values)."""
        super().__init__()
        self.qkv = nn.Parameter(nn.init.xavier_uniform_(torch.empty(3 * dim, dim)).unflatten(0, (3 * heads, -1)))
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(
        self, q: Float[Tensor, "b n d"], k: Float[Tensor, "b m d"], v: Float[Tensor, "b m d"]
    ) -> Float[Tensor, "b n d"]:
        """softmax(QKᵀ/√(d/heads)) V, the softmax in float32 at least."""
        heads = self.qkv.shape[0] // 3
        projected = (linear(source, weight) for source, weight in zip((q, k, v), self.qkv.flatten(0, 1).chunk(3)))
        Q, K, V = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in projected)
        return self.out(scaled_dot_product_attention(Q, K, V).transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    """Self-attention, then a perceptron, each normalised before and added to what it got."""

    def __init__(self, dim: int, heads: int) -> None:
        """Draw fresh weights."""
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Perceptron(dim)

    def forward(self, tokens: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """One layer of the encoder."""
        normal = self.norm1(tokens)
        tokens = tokens + self.attention(normal, normal, normal)
        return tokens + self.mlp(self.norm2(tokens))


class DecoderLayer(nn.Module):
    """Self-attention, attention to the encoder's result, then a perceptron; the task is added to queries and keys."""

    def __init__(self, dim: int, heads: int) -> None:
        """Draw fresh weights."""
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.cross = Attention(dim, heads)
        self.norm3 = nn.LayerNorm(dim)
        self.mlp = Perceptron(dim)

    def forward(
        self, tokens: Float[Tensor, "b n d"], memory: Float[Tensor, "b n d"], task: Float[Tensor, "n d"]
    ) -> Float[Tensor, "b n d"]:
        """One layer of the decoder."""
        normal = self.norm1(tokens)
        tokens = tokens + self.attention(normal + task, normal + task, normal)
        tokens = tokens + self.cross(self.norm2(tokens) + task, memory, memory)
        return tokens + self.mlp(self.norm3(tokens))
