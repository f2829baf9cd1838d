"""The law of `edit_leaping`: each token is kept, deleted or substituted, in each gap one inserted.

All independently.
"""

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
        for place in range(len(state) + 1):
            new = {}
            for (tokens, left), p in after.items():
                for token, q in kept(state, known, share, place):
                    for more, r in inserted(known, share, place):
                        fits = len(more) <= left
                        key = ((*tokens, *token, *(more if fits else ())), left - len(more) * fits)
                        new[key] = new.get(key, 0.0) + p * q * r
            after = new
        out: Distribution = {}
        for (tokens, _), p in after.items():
            out[tokens] = out.get(tokens, 0.0) + p
        return out

    return step


def kept(state: Tokens, known: dict, share: float, place: int) -> list[tuple[Tokens, float]]:
    """What becomes of the token before a gap; BOS is not part of the state."""
    if place == 0:
        return [((), 1.0)]
    gone, other = (min(1.0, share * known[h][place]) for h in ("delete_rate", "substitute_rate"))
    changed = (1 - gone) * other
    made = [((v,), changed * known["token_logits"][place][v]) for v in range(SIZE)]
    return [((), gone), (state[place - 1 : place], (1 - gone) * (1 - other)), *made]


def inserted(known: dict, share: float, gap: int) -> list[tuple[Tokens, float]]:
    p = min(1.0, share * known["gap_count"][gap])
    return [((), 1 - p), *(((v,), p * known["gap_token_logits"][gap][v]) for v in range(SIZE))]
