"""Errors of models."""

from mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "attention to padding",
        "masked",
        "model",
        "return valid[:, None, None, :].expand(-1, 1, valid.shape[1], -1)",
        "return torch.ones_like(valid)[:, None, None, :].expand(-1, 1, valid.shape[1], -1)",
    ),
    Mutant(
        "mean over the batch subtracted",
        "masked",
        "model",
        "at = indices(read)",
        "at, x = indices(read), x - 0.01 * x.mean(0, keepdim=True)",
    ),
    Mutant(
        "causal attention in a masked model",
        "masked",
        "model",
        "is_causal=causal)",
        "is_causal=mask is None)",
    ),
    Mutant(
        "attention to the next token",
        "left to right",
        "model",
        "mixed = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal)",
        """ahead = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(1)
        mixed = F.scaled_dot_product_attention(q, k, v, ahead if causal else mask)""",
    ),
    Mutant(
        "cache one position off",
        "left to right",
        "model",
        "cos, sin = angles(position[:, None, None], self.head_size)",
        "cos, sin = angles(position[:, None, None] - 1, self.head_size)",
    ),
    Mutant(
        "newest key masked",
        "left to right",
        "model",
        "<= position[:, None]  # (B, L)",
        "< position[:, None]",
    ),
    Mutant(
        "time ignored",
        "timed",
        "model",
        "def forward(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:",
        "def forward(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:\n"
        "        t = torch.zeros_like(t)",
    ),
    Mutant(
        "prediction from the wrong position",
        "left to right",
        "sampler",
        "model.extend_cache(state.tokens, end - 1, state.cache)",
        "model.extend_cache(state.tokens, (end - 2).clamp(min=0), state.cache)",
    ),
]
