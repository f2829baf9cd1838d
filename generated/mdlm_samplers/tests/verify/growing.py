"""What samplers write that add a token a step, with any network: enumerated, in float64.

Straight from the papers, and apart from the package's samplers, which are held against it. A state
is a text, and whether it is ended.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .formulas import token_law
from .orders import read
from .world import BOS, EOS, LONGEST, PAD, SIZE, Text

Rule = Callable[[Tensor], Tensor]
State = tuple[Text, bool]
Step = Callable[[State], dict[State, float]]
EMPTY: State = ((), False)


def inserting(told: dict, numbers, model) -> list[Step] | None:
    """A token into a gap a step, until the text stops; None where a part is not known here."""
    pairs, stop = pairs_of(told, numbers), stop_of(told, numbers)
    if pairs is None or stop is None:
        return None

    def step(state: State) -> dict[State, float]:
        text, ended = state
        if ended:
            return {state: 1.0}
        gap, whole = read(model, [text])
        done = stop(float(torch.sigmoid(whole[text])))
        out = {(text, True): done}
        p = pairs(gap[text].exp()).tolist()
        for place in range(len(text) + 1):
            for v in range(SIZE):
                new = ((*text[:place], v, *text[place:]), False)
                out[new] = out.get(new, 0.0) + (1 - done) * p[place][v]
        return out

    return [step] * LONGEST


def pairs_of(told: dict, numbers) -> Rule | None:
    """p(gap, token), (gaps, V), as it is drawn: the gap first, or both as a pair."""
    token = token_law(told["tokens"]["kind"], numbers.tokens)
    if token is None:
        return None
    if told["kind"] == "joint_insertion":
        return lambda p: token(p.flatten()).view_as(p)
    gaps = token_law(told["gaps"]["kind"], numbers.gaps) if told["kind"] == "insertion" else None
    if gaps is None:
        return None
    return lambda p: gaps(p.sum(1))[:, None] * token(p / p.sum(1, keepdim=True))


def stop_of(told: dict, numbers) -> Callable[[float], float] | None:
    """The probability to stop, by that of being whole."""
    kind = told.get("stop", {}).get("kind")
    if kind == "drawn":
        return lambda p: p
    if kind == "threshold":
        return lambda p: float(p > numbers.stop.threshold)
    return None


def appending(told: dict, numbers, model) -> list[Step] | None:
    """From left to right, to the end that is written; None where a part is not known here."""
    token = token_law(told["tokens"]["kind"], numbers.tokens)
    if token is None or told["kind"] != "autoregressive":
        return None

    def step(state: State) -> dict[State, float]:
        text, ended = state
        if ended:
            return {state: 1.0}
        tokens = F.pad(torch.tensor([[BOS, *text]]), (0, LONGEST + 1 - len(text)), value=PAD)
        hidden = model(tokens, tokens != PAD)[:, len(text)]
        p = token(model.token_logits(hidden).double().softmax(-1))[0].tolist()
        return {((*text, v), v == EOS): p[v] for v in (*range(SIZE), EOS)}

    return [step] * (LONGEST + 1)


def shown(state: State) -> Text:
    return state[0]
