"""The law of `insertion_leaping`: in each gap an insertion or none, independently."""

from itertools import pairwise

from xlm_spec.laws import LONGEST, SIZE, Step

from ..process.independent_drop_law import Distribution, Sampling, Tokens

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list[Step]:
    n = s.parameters.steps
    return [step_of(s, 1 - i / n, 1 - j / n) for i, j in pairwise(range(n + 1))]


def step_of(sampling: Sampling, t: float, s: float) -> Step:
    share = sampling.alpha(s) - sampling.alpha(t)

    def step(state: Tokens) -> Distribution:
        known, room = sampling.at(t)[state], LONGEST - len(state)
        after: dict[tuple[Tokens, int], float] = {((), room): 1.0}
        for gap in range(len(state) + 1):
            p = min(1.0, share * known["gap_count"][gap])
            choices: list[tuple[Tokens, float]] = [((), 1 - p)]
            choices += [((v,), p * known["gap_token_logits"][gap][v]) for v in range(SIZE)]
            after = extended(after, state[gap - 1 : gap] if gap else (), choices)
        out: Distribution = {}
        for (tokens, _), p in after.items():
            out[tokens] = out.get(tokens, 0.0) + p
        return out

    return step


def extended(
    before: dict[tuple[Tokens, int], float],
    token: Tokens,
    choices: list[tuple[Tokens, float]],
) -> dict[tuple[Tokens, int], float]:
    """The tokens up to the next gap, and the room that is left: without room nothing is added."""
    out: dict[tuple[Tokens, int], float] = {}
    for (tokens, room), p in before.items():
        for new, q in choices:
            fits = len(new) <= room
            key = ((*tokens, *token, *(new if fits else ())), room - len(new) * fits)
            out[key] = out.get(key, 0.0) + p * q
    return out
