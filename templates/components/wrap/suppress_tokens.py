"""Some tokens are never drawn.

Also known as: suppress, bad_words, logits_eos_inf (eos: true)
    first: suppress_tokens, token_ids, bad_words_ids
    eos: logits_eos_inf
Differs:
    suppress_tokens: dLLM lists ids; here a range of them, `first` and `count`
    begin_suppress_tokens, confidence_eos_eot_inf: there EOS is drawn, but kept last: write
        `eos_last: true` of sampler `drawn_confidence`
"""

import torch
from torch import Tensor

from ..types import Vocab

EXACT_AT = {"count": 0, "eos": False}


class SuppressTokens:
    """p(v) = 0 for these tokens (`logits_eos_inf` of LLaDA, `suppress_tokens` of dLLM)."""

    def __init__(
        self,
        model,
        vocab: Vocab,
        *,
        first: int = 0,  # id of the first of these tokens; in [0, inf)
        count: int = 0,  # number of adjacent ids; in [0, inf)
        eos: bool = False,  # EOS too: no sequence ends before the canvas does
    ):
        if first + count > vocab.size:
            last = vocab.size - 1
            raise ValueError(f"no token {first + count - 1}: the vocabulary ends at {last}")
        self.model, self.never = model, [*range(first, first + count), *[vocab.eos] * eos]

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        return self.model(tokens, valid, t)

    def token_logits(self, hidden: Tensor) -> Tensor:
        logits = self.model.token_logits(hidden)
        never = torch.tensor(self.never, dtype=torch.long, device=logits.device)
        return logits.index_fill(-1, never, -torch.inf)
