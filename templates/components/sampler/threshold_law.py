"""The law of `threshold`: every position above the threshold, at least the most confident one."""

from xlm_spec.laws import LONGEST, Step

from ..process.mask_law import Distribution, Sampling, State

FEW_STEPS = {"threshold": 0.8}


def steps(s: Sampling) -> list[Step]:
    def step(state: State) -> Distribution:
        predictions = s.predictions(state)
        best = {i: max(predictions.p[state[0]][i]) for i in s.masked(state)}
        confident = tuple(i for i, p in best.items() if p >= s.parameters.threshold)
        return predictions.unmask(
            state, confident or tuple(sorted(best, key=lambda i: -best[i])[:1])
        )

    return [step] * LONGEST
