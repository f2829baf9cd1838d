"""The law of `autoregressive`: one token per step, until EOS."""

import torch
import torch.nn.functional as F

from xlm_spec.laws import BOS, EOS, LONGEST, PAD, SIZE, Sampling, Step

from ..process.none_law import State


def steps(s: Sampling) -> list[Step]:
    rule = s.rule("tokens")

    def step(state: State) -> dict[State, float]:
        tokens, ended = state
        if ended:
            return {state: 1.0}
        x = F.pad(torch.tensor([[BOS, *tokens]]), (0, LONGEST + 1 - len(tokens)), value=PAD)
        hidden = s.model(x, x != PAD)[:, len(tokens)]
        p = rule(s.model.token_logits(hidden).double().softmax(-1))[0].tolist()
        return {((*tokens, v), v == EOS): p[v] for v in (*range(SIZE), EOS)}

    return [step] * (LONGEST + 1)
