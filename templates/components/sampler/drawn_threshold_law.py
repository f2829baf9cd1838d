"""The law of `drawn_threshold`: keeps the drawn tokens above the threshold and the likeliest."""

from xlm_spec.laws import LONGEST, Step

from ..process.mask_law import Distribution, Sampling, State
from .drawn_confidence_law import only

FEW_STEPS = {"threshold": 0.4}


def steps(s: Sampling) -> list[Step]:
    return keeping(s, lambda p, n: p >= s.parameters.threshold)


def keeping(s: Sampling, passes) -> list[Step]:
    """Keeps the n-th likeliest drawn token if its p passes, from n = 1 on."""

    def step(state: State) -> Distribution:
        masked, predictions, out = s.masked(state), s.predictions(state), {}
        for (tokens, _), q in predictions.unmask(state, masked).items():
            p = {i: predictions.p[state[0]][i][tokens[i]] for i in masked}
            likeliest = sorted(masked, key=lambda i: -p[i])
            kept = [i for n, i in enumerate(likeliest, 1) if n == 1 or passes(p[i], n)]
            new = only(tokens, masked, tuple(kept)), state[1]
            out[new] = out.get(new, 0.0) + q
        return out

    return [step] * LONGEST
