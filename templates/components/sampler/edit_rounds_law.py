"""The law of `edit_rounds`: the likeliest deletions and numbers of masks; tokens are drawn."""

from itertools import product

import torch
from torch import Tensor

from xlm_spec.laws import BOS, LONGEST, MASK, PAD, SIZE, Sampling, Step

from ..process.drop_law import State

FEW_STEPS = {"rounds": 2}


def steps(s: Sampling) -> list[Step]:
    rule = s.rule("tokens")

    def hidden(tokens: tuple[int, ...]) -> Tensor:
        line = torch.tensor([[BOS, *tokens, *[PAD] * (LONGEST - len(tokens))]])
        return s.model(line, line != PAD)[0, : 1 + len(tokens)]

    def step(state: State) -> dict[State, float]:
        tokens, ended = state
        if ended:
            return {state: 1.0}
        wrong = s.model.delete_logit(hidden(tokens))[1:]
        kept = tuple(v for v, logit in zip(tokens, wrong, strict=True) if logit <= 0)
        numbers = s.model.placeholder_logits(hidden(kept)).argmax(-1).tolist()
        line, room = [], LONGEST - len(kept)
        for v, number in zip((None, *kept), numbers, strict=True):
            line += [] if v is None else [v]
            line += [MASK] * min(number, room)
            room -= min(number, room)
        masks = [j for j, v in enumerate(line) if v == MASK]
        p = rule(s.model.token_logits(hidden(tuple(line))).double().softmax(-1))[1:]
        out: dict[State, float] = {}
        for drawn in product(range(SIZE), repeat=len(masks)):
            full = [*line]
            for j, v in zip(masks, drawn, strict=True):
                full[j] = v
            new = tuple(full), tuple(full) == tokens
            chance = 1.0
            for j, v in zip(masks, drawn, strict=True):
                chance *= float(p[j, v])
            out[new] = out.get(new, 0.0) + chance
        return out

    return [step] * s.parameters.rounds
