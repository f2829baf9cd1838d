"""The law of `gibbs`: one unmasked token, drawn uniformly, follows its conditional distribution."""

from xlm_spec.laws import LONGEST, MASK, Step, mixed

from ..process.mask_law import Distribution, Sampling, State

STRICT = {"moves": 2}


def correction(s: Sampling, corrector) -> Step:
    def move(state: State) -> Distribution:
        states = {state: 1.0}
        for _ in range(corrector.moves):
            states = mixed((p, redrawn(s, before)) for before, p in states.items())
        return states

    return move


def redrawn(s: Sampling, state: State) -> Distribution:
    """The next states: each unmasked position with equal probability, its token drawn again.

    Without confidences: `gibbs` changes a `State`, which has none.
    """
    tokens, none = state[0], (0.0,) * LONGEST
    unmasked = [i for i in s.free if tokens[i] != MASK]
    out = {} if unmasked else {(tokens, none): 1.0}
    for i in unmasked:
        before = (*tokens[:i], MASK, *tokens[i + 1 :]), none
        for (after, _), p in s.predictions(before).unmask(before, (i,)).items():
            out[after, none] = out.get((after, none), 0.0) + p / len(unmasked)
    return out
