"""The transformer of ContextSSL: it reads pairs of (source with action, target) and says where a source's action leads.

Tokens alternate: 2p is the source of pair p with its action, 2p + 1 its target. There is no positional embedding.
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

INIT_STD = 0.02  # GPT-2's
MLP_RATIO = 4

Heads = Float[Tensor, "*batch heads tokens size"]
Masks = Bool[Tensor, "layers block block"]
Attend = Callable[[Heads, Heads, Heads], Heads]
# Keys and values of a context's tokens, of each layer.
Memory = list[tuple[Float[Tensor, "heads context size"], Float[Tensor, "heads context size"]]]


def pair_mask(num_tokens: int, device: torch.device | None = None) -> Bool[Tensor, "tokens tokens"]:
    """Which tokens j a token i may attend to: no later ones, and a target not its own source, or the contrast were trivial."""
    index = torch.arange(num_tokens, device=device)
    i, j = index[:, None], index[None]
    return (j <= i) & ~((i % 2 == 1) & (j == i - 1))


def context_masks(draws: Float[Tensor, "layers block pairs"], probability: float) -> Masks:
    """The pair mask, less the pairs that a token does not see: each with `probability`, itself always.

    Args:
        draws: uniform in [0, 1), of each layer, token and pair.
        probability: of a pair to be hidden from a token.
    """
    seen = (draws >= probability).repeat_interleave(2, dim=2)
    num_tokens = seen.shape[1]
    return pair_mask(num_tokens, draws.device) & (seen | torch.eye(num_tokens, dtype=torch.bool, device=draws.device))


class SelfAttention(nn.Module):
    """Queries, keys and values of several heads from one linear layer, and another after them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "*batch tokens width"], attend: Attend) -> Float[Tensor, "*batch tokens width"]:
        """What `attend` makes of queries, keys and values."""
        split = self.queries_keys_values(x).chunk(3, dim=-1)
        found = attend(*(part.unflatten(-1, (self.heads, -1)).transpose(-2, -3) for part in split))
        return self.out(found.transpose(-2, -3).flatten(-2))


class Block(nn.Module):
    """A pre-norm layer: x += attention(norm x), x += MLP(norm x)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        hidden = MLP_RATIO * width
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Float[Tensor, "*batch tokens width"], attend: Attend) -> Float[Tensor, "*batch tokens width"]:
        """The layer's output."""
        x = x + self.attention(self.attention_norm(x), attend)
        return x + self.mlp(self.mlp_norm(x))

    @property
    def last_layers(self) -> tuple[nn.Linear, nn.Linear]:
        """What is added to x."""
        last = self.mlp[2]
        assert isinstance(last, nn.Linear)
        return self.attention.out, last


class ContextTransformer(nn.Module):
    """GPT blocks between a linear read-in and a norm with a linear read-out.

    Args:
        token_size: numbers in a token.
        out_size: numbers in an output.
        width: of the blocks.
        depth: number of blocks.
        heads: of their attention.
    """

    def __init__(self, token_size: int, out_size: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.read_in = nn.Linear(token_size, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.read_out = nn.Linear(width, out_size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """GPT-2's: N(0, 0.02) without biases; what is added to the residual stream is less by √(2·depth)."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=INIT_STD)
                nn.init.zeros_(module.bias)
        for block in self.modules():
            for layer in block.last_layers if isinstance(block, Block) else ():
                nn.init.normal_(layer.weight, std=INIT_STD / (2 * len(self.blocks)) ** 0.5)

    def forward(
        self, tokens: Float[Tensor, "sequences tokens in"], masks: Masks | None = None
    ) -> Float[Tensor, "sequences tokens out"]:
        """The outputs of whole sequences; by the pair mask in every layer where no `masks` are given."""
        if masks is None:
            masks = pair_mask(tokens.shape[1], tokens.device).expand(len(self.blocks), -1, -1)
        return self._run(tokens, [partial(F.scaled_dot_product_attention, attn_mask=mask) for mask in masks])

    def remember(self, tokens: Float[Tensor, "context in"]) -> Memory:
        """Keys and values of a context, which `ask` needs."""
        memory: Memory = []
        mask = pair_mask(len(tokens), tokens.device)

        def attend(queries: Heads, keys: Heads, values: Heads) -> Heads:
            memory.append((keys, values))
            return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)

        self._run(tokens, [attend] * len(self.blocks))
        return memory

    def ask(self, tokens: Float[Tensor, "n in"], memory: Memory) -> Float[Tensor, "n out"]:
        """The outputs of tokens each of which stands alone after the context, and sees it and itself."""
        layers: list[Attend] = [partial(_attend_alone, memory=layer) for layer in memory]
        return self._run(tokens[:, None], layers).squeeze(1)

    def _run(
        self, tokens: Float[Tensor, "*batch tokens in"], layers: list[Attend]
    ) -> Float[Tensor, "*batch tokens out"]:
        x = self.read_in(tokens)
        for block, attend in zip(self.blocks, layers, strict=True):
            x = block(x, attend)
        return self.read_out(self.norm(x))


def _attend_alone(
    queries: Float[Tensor, "n heads 1 size"],
    keys: Float[Tensor, "n heads 1 size"],
    values: Float[Tensor, "n heads 1 size"],
    memory: tuple[Float[Tensor, "heads context size"], Float[Tensor, "heads context size"]],
) -> Float[Tensor, "n heads 1 size"]:
    """Attention of each token to the memory and to itself; the memory is not copied for each."""
    remembered_keys, remembered_values = memory
    context = queries.transpose(0, 2) @ remembered_keys.transpose(1, 2)  # (1, heads, n, context)
    own = (queries * keys).sum(dim=3).permute(2, 1, 0).unsqueeze(3)
    weights = torch.softmax(torch.cat([context, own], dim=3) * queries.shape[3] ** -0.5, dim=3).to(values.dtype)
    found = weights[..., :-1] @ remembered_values + weights[..., -1:] * values.transpose(0, 2)
    return found.transpose(0, 2)
