"""The law of `reverse_rate`: a token is dropped or inserted by the rule of Metropolis and Hastings.

As a table of rates, from which the acceptance follows: with equal chances a uniform token is
dropped, or one is inserted in proportion to the rates.
"""

from xlm_spec.laws import LONGEST, Step, mixed

from ..process.independent_drop_law import Distribution, Sampling, Tokens

STRICT = {"moves": 2}


def correction(s: Sampling, corrector) -> list[Step]:
    n = s.parameters.steps
    return [moved(s, 1 - i / n, corrector.moves) for i in range(1, n + 1)]


def moved(s: Sampling, t: float, moves: int) -> Step:
    def move(state: Tokens) -> Distribution:
        states = {state: 1.0}
        for _ in range(moves if t > 1e-9 else 0):
            states = mixed((p, once(s, t, before)) for before, p in states.items())
        return states

    return move


def once(s: Sampling, t: float, state: Tokens) -> Distribution:
    out: Distribution = {}

    def add(after: Tokens, chance: float, accepted: float) -> None:
        out[after] = out.get(after, 0.0) + chance * accepted
        out[state] = out.get(state, 0.0) + chance * (1 - accepted)

    n = len(state)
    for i in range(n):
        less = (*state[:i], *state[i + 1 :])
        add(less, 0.5 / n, min(1.0, n / total(s, t, less)))
    if n == 0:
        add(state, 0.5, 1.0)
    if n == LONGEST:
        add(state, 0.5, 1.0)
        return out
    known, w = s.at(t)[state], total(s, t, state)
    for gap, rate in enumerate(known["gap_count"]):
        for v in s.ids:
            q = known["gap_token_logits"][gap][v]
            after = (*state[:gap], v, *state[gap:])
            add(after, 0.5 * s.alpha(t) * rate / w * q, min(1.0, w / (n + 1)))
    return out


def total(s: Sampling, t: float, state: Tokens) -> float:
    return s.alpha(t) * sum(s.at(t)[state]["gap_count"])
