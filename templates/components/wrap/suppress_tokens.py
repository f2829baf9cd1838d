"""Some tokens are never drawn.

Also known as: suppress, bad_words, logits_eos_inf (eos: true)
    ids: suppress_tokens, token_ids, bad_words_ids
    eos: logits_eos_inf
Differs:
    begin_suppress_tokens, confidence_eos_eot_inf: there EOS is drawn, but kept last: write
        `eos_last: true` of sampler `drawn_confidence`
"""

import torch
from torch import Tensor

from ..types import Vocab

EXACT_AT = {"ids": "", "eos": False}


class SuppressTokens:
    """p(v) = 0 for these tokens (`logits_eos_inf` of LLaDA, `suppress_tokens` of dLLM)."""

    def __init__(
        self,
        model,
        vocab: Vocab,
        *,
        ids: str = "",  # token ids, separated by spaces
        eos: bool = False,  # EOS too: no sequence ends before the canvas does
    ):
        never = [int(i) for i in ids.split()] + [vocab.eos] * eos
        if wrong := [i for i in never if not 0 <= i < vocab.size]:
            raise ValueError(
                f"no token of the vocabulary: {wrong[0]}; ids are 0 to {vocab.size - 1}"
            )
        self.model, self.never = model, never

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        return self.model(tokens, valid, t)

    def token_logits(self, hidden: Tensor) -> Tensor:
        logits = self.model.token_logits(hidden)
        never = torch.tensor(self.never, dtype=torch.long, device=logits.device)
        return logits.index_fill(-1, never, -torch.inf)
