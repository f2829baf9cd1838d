"""The law of `mask`: masked tokens are not visible, and are unmasked in any order.

Below: the exact model, the bound as a mean over orders, and the states of samplers of masked
sequences, with the predictions of any model for each state.
"""

from functools import cache
from itertools import permutations, product
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from xlm_spec import laws
from xlm_spec.laws import BOS, EOS, LONGEST, MASK, SIZE, UNIFORM, ToyDistribution, V, perturbed

Tokens = tuple[int, ...]
Positions = tuple[int, ...]
State = tuple[Tokens, tuple[float, ...]]  # tokens, and the confidence of each
Distribution = dict[State, float]
VOCABULARY = (*range(SIZE), EOS)
START: State = ((MASK,) * LONGEST, (0.0,) * LONGEST)


def tokens_of(state: State) -> Tokens:
    return state[0]


def model_input(
    tokens: Tensor, valid: Tensor, corrupted: list[int], vocab: Any
) -> tuple[Tensor, Tensor]:
    """Masks in place of corrupted tokens."""
    seen = tokens.clone()
    seen[corrupted] = vocab.mask
    return seen, valid


class Posterior:
    """p(x_i | visible tokens): the minimiser of cross-entropy at masked positions, any weight > 0.

    The masked positions must not depend on the tokens.
    """

    def __init__(self, w: ToyDistribution, blur: float = 0.0, tilt: float = 0.0):
        self.w, self.blur, self.tilt = w, blur, tilt
        self.x, _ = w.batch()

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None, **_) -> Tensor:
        invisible = (tokens == MASK) | ~valid
        agrees = ((tokens[:, None] == self.x) | invisible[:, None]).all(-1)
        weight = self.w.p * agrees  # (B, K)
        p = torch.einsum("bk,klv->blv", weight, F.one_hot(self.x, V).double())
        p = p / p.sum(-1, keepdim=True).clamp(min=1e-300)
        return perturbed(p, UNIFORM, self.blur, self.tilt).log()  # (B, L, V)

    def token_logits(self, hidden: Tensor) -> Tensor:
        return hidden


def minimiser(w: ToyDistribution, blur: float, tilt: float) -> Posterior:
    return Posterior(w, blur, tilt)


def log_p_by_order(model: Any, w: ToyDistribution) -> list[Tensor]:
    """log p(x | order), (orders,), of each sequence: one position after the other."""
    x, _ = w.batch()
    out = []
    for order in permutations(range(1, x.shape[1])):
        seen = x.clone()
        seen[:, 1:] = MASK
        total = torch.zeros(len(x), dtype=torch.float64)
        for i in order:
            log_p = logits(model, seen, 0.5)[:, i].log_softmax(-1)
            total += log_p.gather(1, x[:, i, None])[:, 0]
            seen[:, i] = x[:, i]
        out.append(total)
    return [*torch.stack(out).T]


def logits(model: Any, tokens: Tensor, t: float) -> Tensor:
    """(B, L, V), float64."""
    valid, time = torch.ones_like(tokens, dtype=torch.bool), torch.full((len(tokens), 1), t)
    return model.token_logits(model(tokens, valid, time)).double()


# ---- samplers ------------------------------------------------------------------------------------


class Predictions(NamedTuple):
    """For every state, p(v | visible tokens) at each position, and its distribution by the rule."""

    p: dict[Tokens, list[list[float]]]
    sampled: dict[Tokens, list[list[float]]]

    def unmask(self, state: State, positions: Positions) -> Distribution:
        """The next states if tokens are sampled at these positions, independently."""
        tokens, confidence = state
        out: Distribution = {}
        for sample in product(VOCABULARY, repeat=len(positions)):
            new, known, p = [*tokens], [*confidence], 1.0
            for i, v in zip(positions, sample, strict=True):
                p *= self.sampled[tokens][i][v]
                new[i], known[i] = v, self.p[tokens][i][v]
            out[tuple(new), tuple(known)] = p
        return out


class Sampling(laws.Sampling):
    """A sampler of masked sequences."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.predictions_at = cache(self.predict)

    def predict(self, t: float) -> Predictions:
        """The predictions for every state at this time."""
        states = [*product([*VOCABULARY, MASK], repeat=LONGEST)]
        tokens = torch.tensor([(BOS, *s) for s in states])
        p = logits(self.model, tokens, t)[:, 1:].softmax(-1)  # (states, LONGEST, V)
        both = (p, self.rule("tokens")(p))
        return Predictions(*(dict(zip(states, a.tolist(), strict=True)) for a in both))

    def predictions(self, state: State) -> Predictions:
        """The predictions at the time with the expected share of masks of this state."""
        share = len(self.masked(state)) / len(self.free)
        return self.predictions_at(self.inverse(1 - share))

    def masked(self, state: State) -> Positions:
        """The masked free positions."""
        return tuple(i for i in self.free if state[0][i] == MASK)
