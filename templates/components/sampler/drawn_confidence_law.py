"""The law of `drawn_confidence`: all tokens are drawn, the most probable are kept."""

from math import log

from xlm_spec.laws import EOS, MASK, Step

from ..process.mask_law import Distribution, Positions, Sampling, State
from .scheduled_budget_law import drawn_sets, numbers

FEW_STEPS = {"steps": 2}


def steps(s: Sampling) -> list[Step]:
    return [step_of(s, i) for i in range(s.parameters.steps)]


def step_of(s: Sampling, i: int) -> Step:
    later = 1 - (i + 1) / s.parameters.steps
    noise = s.parameters.noise * (later if s.parameters.annealed else 1)

    def step(state: State) -> Distribution:
        masked, out = s.masked(state), {}
        chances = numbers(s, i, len(masked))
        for (tokens, _), p in s.predictions(state).unmask(state, masked).items():
            score = confidence(s, state, tokens, masked)
            for number, q in chances.items():
                for kept, r in drawn_sets(score, number, noise).items():
                    new = only(tokens, masked, kept), state[1]
                    out[new] = out.get(new, 0.0) + p * q * r
        return out

    return step


def confidence(
    s: Sampling, state: State, tokens: tuple[int, ...], masked: Positions
) -> dict[int, float]:
    """The probability of each drawn token, or its logarithm."""
    p = s.predictions(state).p[state[0]]
    found = {i: p[i][tokens[i]] for i in masked}
    if s.parameters.eos_last:
        found = {i: 0.0 if tokens[i] == EOS else q / (1 - p[i][EOS]) for i, q in found.items()}
    if s.parameters.annealed:
        found = {i: log(max(q, 1e-300)) for i, q in found.items()}
    return found


def only(tokens: tuple[int, ...], masked: Positions, kept: Positions) -> tuple[int, ...]:
    """The drawn tokens that are kept; masks in place of the others."""
    return tuple(MASK if i in masked and i not in kept else v for i, v in enumerate(tokens))
