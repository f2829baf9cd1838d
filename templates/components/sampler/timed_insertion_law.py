"""The law of `timed_insertion`: an insertion or none; a gap is drawn, then its token."""

from itertools import pairwise

import torch

from xlm_spec.laws import BOS, LONGEST, PAD, SIZE, Step

from ..process.independent_drop_law import Distribution, Sampling, Tokens

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list[Step]:
    n = s.parameters.steps
    return [step_of(s, 1 - i / n, 1 - j / n) for i, j in pairwise(range(n + 1))]


def step_of(sampling: Sampling, t: float, s: float) -> Step:
    share = sampling.alpha(s) - sampling.alpha(t)
    gaps, tokens = sampling.rule("gaps"), sampling.rule("tokens")

    def step(state: Tokens) -> Distribution:
        if len(state) == LONGEST:
            return {state: 1.0}
        line = torch.tensor([[BOS, *state, *[PAD] * (LONGEST - len(state))]])
        hidden = sampling.model(line, line != PAD, torch.full((1, 1), t))
        happens = min(1.0, share * float(sampling.model.gap_count(hidden)[0, 0]))
        weights = sampling.model.gap_token_logits(hidden).double()[0, : 1 + len(state)].exp()
        gap = gaps(weights.sum(1) / weights.sum()).tolist()
        token = tokens(weights / weights.sum(1, keepdim=True)).tolist()
        out: Distribution = {state: 1 - happens}
        for i in range(len(state) + 1):
            for v in range(SIZE):
                new = (*state[:i], v, *state[i:])
                out[new] = out.get(new, 0.0) + happens * gap[i] * token[i][v]
        return out

    return step
