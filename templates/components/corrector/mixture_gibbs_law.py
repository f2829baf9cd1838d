"""The law of `mixture_gibbs`: one free token, drawn uniformly, follows its conditional."""

from functools import cache

from xlm_spec.laws import Step, mixed

from ..process.mixture_law import Sampling, Tokens
from ..process.uniform_law import ANY, equal_steps


def correction(s: Sampling, corrector) -> list[Step]:
    return [moved(s, to, corrector.moves) for to in equal_steps(s.parameters.steps)[1:]]


def moved(s: Sampling, t: float, moves: int) -> Step:
    table, rule = s.predictions(t), s.rule("tokens")

    @cache
    def redrawn(state: Tokens) -> dict[Tokens, float]:
        """Each free position with equal probability, its token drawn again."""
        out: dict[Tokens, float] = {}
        for i in s.free:
            p = rule((s.alpha(t) * table[state][i] + s.noise(t))[None])[0].tolist()
            for v in ANY:
                if p[v] > 0:
                    after = (*state[:i], v, *state[i + 1 :])
                    out[after] = out.get(after, 0.0) + p[v] / len(s.free)
        return out

    def move(state: Tokens) -> dict[Tokens, float]:
        states = redrawn(state)
        for _ in range(moves - 1):
            states = mixed((p, redrawn(before)) for before, p in states.items())
        return states

    return move
