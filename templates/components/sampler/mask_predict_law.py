"""The law of `mask_predict`: all masks are filled, then the least confident tokens remasked."""

from xlm_spec.laws import MASK, Step

from ..process.mask_law import Distribution, Sampling, State

FEW_STEPS = {"rounds": 3}


def steps(s: Sampling) -> list[Step]:
    return [round_step(s, left) for left in reversed(range(s.parameters.rounds))]


def round_step(s: Sampling, left: int) -> Step:
    """A round with `left` rounds after it."""
    n = len(s.free) * left // s.parameters.rounds

    def step(state: State) -> Distribution:
        out: Distribution = {}
        for (tokens, confidence), p in s.predictions(state).unmask(state, s.masked(state)).items():
            remasked = sorted(s.free, key=lambda i: confidence[i])[:n]
            new = tuple(MASK if i in remasked else v for i, v in enumerate(tokens))
            known = tuple(0.0 if i in remasked else c for i, c in enumerate(confidence))
            out[new, known] = out.get((new, known), 0.0) + p
        return out

    return step
