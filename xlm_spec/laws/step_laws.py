"""The law of decoding steps: each follows its enumerated distribution."""

from collections.abc import Iterator

from .chains import Step, largest_surprise, mixed, moves
from .conditions import process_has
from .config_values import with_parameters
from .law import ALARM, Figure, law, needs
from .law_files import FOLDERS, NoLaw, components_of_sampler, inside
from .method import Method
from .sampler_runs import config_path, run_sampler
from .sampling import Sampling, sampling_of

ROWS = 10_000


def missing(m: Method, sampler: str) -> list[NoLaw]:
    """The missing laws of a sampler and its rules."""
    return m.without_law(*components_of_sampler(sampler, m.samplers[sampler]))


def some_steps(m: Method) -> str:
    """Has any sampler the laws of its steps and of all its rules?"""
    reasons = [missing(m, s) for s in m.samplers]
    return reasons[0][0] if all(reasons) else ""


@law(
    "with any model every step follows its enumerated distribution",
    needs(some_steps, process_has("START", "tokens_of")),
)
def every_step(m: Method) -> Iterator[Figure]:
    """10,000 samples with a random model, in few steps, with rules that truncate.

    All moves, from a state to the next, are counted. The output of a time-conditioned model depends
    on the time. The control: the moves with another model.
    """
    w, models = m.toy_distribution(), [m.random_model(m.timed, seed) for seed in (0, 1)]
    for s in m.samplers:
        if missing(m, s):
            continue
        parameters = short_run(m, s, "STRICT")
        moves = enumerated(m, s, with_parameters(m.config, parameters), models[0])
        if moves:
            runs = [run_sampler(m, s, model, m.start(w, ROWS), parameters) for model in models]
            right, wrong = (
                largest_surprise(states, until_end(m, s, states, moves)) for states in runs
            )
            yield Figure(right, ALARM, wrong, s)


def until_end(m: Method, sampler: str, states: list, moves: list[dict]) -> list[dict]:
    """The moves of a sampler until it ends: later it makes no corrections."""
    early = "corrector" in m.samplers[sampler] and 1 < len(states) <= len(moves)
    return moves[: len(states) - 1] if early else moves


def enumerated(m: Method, sampler: str, config, model) -> list[dict]:
    """The distribution of each move; in a loop, of the whole run; [] if it can't be enumerated."""
    s, law = sampling_of(m, sampler, config, model), m.law("sampler", m.samplers[sampler]["kind"])
    start, tokens_of = m.of_process("START"), m.of_process("tokens_of")
    start = start(s) if callable(start) else start
    s.model = s.wrapped()
    runs = [(run, law.steps(run)) for run in s.windows()]
    steps = [
        pair for run, own in runs for pair in zip(own, corrections(run, len(own)), strict=True)
    ]
    each = [*moves(start, steps, tokens_of)]
    in_loop = any(hasattr(wrap, "windows") for wrap, _ in s.listed("wrap"))
    if not (in_loop and each):
        return each
    ends: dict = {}
    for (_, last), p in each[-1].items():
        pair = tokens_of(start), last
        ends[pair] = ends.get(pair, 0.0) + p
    return [ends]


def corrections(s: Sampling, steps: int) -> list[Step | None]:
    """After each step the moves of the correctors, one after the other; None without correctors."""
    found = [corrector.correction(s, numbers) for corrector, numbers in s.listed("corrector")]
    each = [move if isinstance(move, list) else [move] * steps for move in found]
    return [after(step) for step in zip(*each, strict=True)] if each else [None] * steps


def after(each: tuple[Step, ...]) -> Step:
    """Several moves, one after the other."""

    def correct(state):
        states = {state: 1.0}
        for move in each:
            states = mixed((p, move(before)) for before, p in states.items())
        return states

    return correct


def short_run(m: Method, sampler: str, rules: str) -> dict[str, float]:
    """The parameters `FEW_STEPS` of a sampler, and `STRICT` or `LOOSE` of its rules.

    They are in their law files.
    """
    path, parts = config_path(m, sampler), m.samplers[sampler]
    few = getattr(m.law("sampler", parts["kind"]), "FEW_STEPS", {})
    parameters = {f"{path}.{k}": v for k, v in few.items()}
    for key, place, chosen in inside(parts):
        values = getattr(m.law(FOLDERS.get(key, key), chosen["kind"]), rules, {})
        parameters |= {f"{path}.{place}.{k}": v for k, v in values.items()}
    return parameters
