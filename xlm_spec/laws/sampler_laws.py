"""Laws of samplers: the distribution of samples and of each step; fixed tokens do not change."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .chains import Step, largest_surprise, mixed, moves
from .claims import SAMPLER
from .law import ALARM, Figure, law, needs, when
from .law_files import FOLDERS, NoLaw, components_of_sampler, inside
from .loss_laws import minimised
from .method import Method, with_parameters
from .noise_laws import bins, new_samples, process_has
from .sampling import Sampling
from .toy_distribution import LONGEST, PAD, SIZE, ToyDistribution, surprise

ROWS = 10_000
exact_samplers = when(
    lambda m: any(m.exact_at(s) is not None for s in m.module.SAMPLERS),
    "no sampler declares `EXACT_AT`",
)


def sample_counts(
    m: Method, sampler: str, model, w: ToyDistribution, parameters, prompt=()
) -> Tensor:
    """Counts of each sequence, and of anything else, in 10,000 samples."""
    last = m.run_sampler(sampler, model, m.start(w, ROWS, prompt), parameters)[-1]
    return w.counts(last.tokens, last.valid)


def deviation(m: Method, sampler: str, model, w: ToyDistribution, prompt=()) -> float:
    """The surprise of the samples, with the parameters with which the sampler is exact.

    It is infinite for anything that is not a sequence of the distribution. A sampler that is exact
    in the limit of many steps is allowed up to 1% of other completed sequences.
    """
    parameters = m.exact_at(sampler) or {}
    start = m.start(w, ROWS, prompt)
    last = m.run_sampler(sampler, model, start, parameters)[-1]
    counts = w.counts(last.tokens, last.valid)
    limit = any(name.endswith(".steps") for name in parameters)
    if limit and counts[-1] < ROWS / 100 and not incomplete(m, start, last):
        counts[-1] = 0
    return surprise(counts, with_others(w.p))


def exact(m: Method) -> list[str]:
    return [s for s in m.module.SAMPLERS if m.exact_at(s) is not None]


def with_others(p: Tensor) -> Tensor:
    """The probabilities of the sequences, and 0 for anything else."""
    return torch.cat([p, torch.zeros(1, dtype=torch.float64)])


@law(
    "with the exact model the sampler follows the data distribution",
    needs(exact_samplers, minimised),
    claim=SAMPLER,
)
def follows(m: Method) -> Iterator[Figure]:
    """10,000 samples, with the parameters of `EXACT_AT`. The control: a perturbed model."""
    w = m.toy_distribution()
    for s in exact(m):
        right, wrong = (deviation(m, s, m.exact_model(w, b), w) for b in (0.0, 0.05))
        yield Figure(right, ALARM, wrong, s)


@law(
    "after a prompt the sampler follows the conditional distribution",
    needs(exact_samplers, minimised),
    claim=SAMPLER,
)
def follows_after_prompt(m: Method) -> Iterator[Figure]:
    w = m.toy_distribution().conditional((1,))
    for s in exact(m):
        right, wrong = (
            deviation(m, s, m.exact_model(w, b, prompt=1), w, (1,)) for b in (0.0, 0.08)
        )
        yield Figure(right, ALARM, wrong, s)


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
            runs = [m.run_sampler(s, model, m.start(w, ROWS), parameters) for model in models]
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
    s, law = m.sampling(sampler, config, model), m.law("sampler", m.samplers[sampler]["kind"])
    start, tokens_of = m.of_process("START"), m.of_process("tokens_of")
    s.model = s.wrapped()
    runs = [(run, correction(run)) for run in s.windows()]
    steps = [(step, correct) for run, correct in runs for step in law.steps(run)]
    each = [*moves(start, steps, tokens_of)]
    in_loop = any(hasattr(wrap, "windows") for wrap, _ in s.listed("wrap"))
    if not (in_loop and each):
        return each
    ends: dict = {}
    for (_, last), p in each[-1].items():
        pair = tokens_of(start), last
        ends[pair] = ends.get(pair, 0.0) + p
    return [ends]


def correction(s: Sampling) -> Step | None:
    """The moves of the correctors, one after the other; None without correctors."""
    each = [corrector.correction(s, numbers) for corrector, numbers in s.listed("corrector")]

    def correct(state):
        states = {state: 1.0}
        for move in each:
            states = mixed((p, move(before)) for before, p in states.items())
        return states

    return correct if each else None


def short_run(m: Method, sampler: str, rules: str) -> dict[str, float]:
    """The parameters `FEW_STEPS` of a sampler, and `STRICT` or `LOOSE` of its rules.

    They are in their law files.
    """
    path, parts = m.config_path(sampler), m.samplers[sampler]
    few = getattr(m.law("sampler", parts["kind"]), "FEW_STEPS", {})
    parameters = {f"{path}.{k}": v for k, v in few.items()}
    for key, place, chosen in inside(parts):
        values = getattr(m.law(FOLDERS.get(key, key), chosen["kind"]), rules, {})
        parameters |= {f"{path}.{place}.{k}": v for k, v in values.items()}
    return parameters


@law("samplers use their generator, with new samples in each call")
def new_sequences(m: Method) -> Iterator[Figure]:
    """With token rules that sample, sequences depend on the seed only. The control: one seed."""
    w, model = m.toy_distribution(), m.random_model()
    for s in m.samplers:

        def sampled_by(seed: int, global_seed: int, s: str = s) -> Tensor:
            torch.manual_seed(global_seed)  # must have no effect
            last = m.run_sampler(s, model, m.start(w, 500), short_run(m, s, "LOOSE"), seed)[-1]
            return last.tokens.masked_fill(~last.valid, PAD)

        yield new_samples(sampled_by, s)


@law("samplers never change fixed tokens")
def keeps(m: Method) -> Iterator[Figure]:
    """A small untrained model, prompts and canvases of several lengths, a fixed token after a gap.

    The number of sequences with changed fixed tokens, over all states.
    """
    x = ragged(m)
    for s in m.module.SAMPLERS:
        states = m.run_sampler(s, m.small_model().float(), x, {})
        wrong = sum(changed(m, state, x) for state in states)
        shifted = states[0]._replace(tokens=states[0].tokens.roll(1, 1))
        yield Figure(wrong, 0, changed(m, shifted, x), s)


@law("samplers complete every sequence")
def completes(m: Method) -> Iterator[Figure]:
    """The number of last states that contain special tokens, such as MASK, or have no end.

    The same runs. The control: the last state with BOS, not fixed, as its last token.
    """
    x = ragged(m)
    for s in m.module.SAMPLERS:
        last = m.run_sampler(s, m.small_model().float(), x, {})[-1]
        wrong = incomplete(m, x, last)
        end = last.valid & (last.valid.long().cumsum(1) == last.valid.sum(1, keepdim=True))
        tokens, fixed = last.tokens.masked_fill(end, m.vocab.bos), last.fixed & ~end
        other = last._replace(tokens=tokens, fixed=fixed)
        detail = f"{wrong} of {len(last.tokens)} sequences are not completed"
        yield Figure(wrong, 0, incomplete(m, x, other), s, detail)


def incomplete(m: Method, x, last) -> int:
    """The number of sequences with special tokens at free positions, or without an end.

    A canvas is complete if all its positions have tokens.
    """
    special = torch.isin(last.tokens, torch.tensor(m.vocab.special))
    wrong = (special & last.valid & ~last.fixed).any(1)
    if m.layout == "canvas":
        wrong |= (x.valid & ~last.valid).any(1)
    if m.layout == "end":
        end = last.valid.sum(1)
        ended = last.tokens[torch.arange(len(end)), end - 1] == m.vocab.eos
        wrong |= (end < x.valid.sum(1)) & ~ended
    return int(wrong.sum())


def ragged(m: Method):
    """200 sequences with a prompt of 0 to 2 tokens and a fixed token at 5; 9 or 7 positions."""
    rows, position = torch.arange(200)[:, None], torch.arange(3 + LONGEST + 3)
    fixed = (position <= rows % 3) | (position == 5)
    valid = (position < len(position) - 2 * (rows % 2)).expand_as(fixed)
    tokens = torch.where(fixed, (position + rows) % SIZE, m.vocab.pad)
    tokens[:, 0] = m.vocab.bos
    return m.module.Examples(tokens, valid, fixed)


def changed(m: Method, state, x) -> int:
    """The number of sequences in which the prompt or another fixed token has changed.

    A state can have more positions than x, and tokens that are not valid yet.
    """
    longer = state.tokens.shape[1] - x.tokens.shape[1]
    x = x._replace(
        tokens=F.pad(x.tokens, (0, longer), value=m.vocab.pad),
        valid=F.pad(x.valid, (0, longer)),
        fixed=F.pad(x.fixed, (0, longer)),
    )
    prompt = x.fixed.long().cumprod(1).bool()
    wrong = ((state.tokens != x.tokens) & prompt).any(1)
    if m.layout == "grow":
        lines = zip(state.tokens, state.valid & state.fixed, x.tokens, x.fixed, strict=True)
        same = [after[f].tolist() == before[g].tolist() for after, f, before, g in lines]
        return int((wrong | ~torch.tensor(same)).sum())
    wrong |= ((state.tokens != x.tokens) & x.fixed & state.valid).any(1)
    if m.layout == "canvas":
        wrong |= ((state.valid & ~x.valid) | (x.fixed & x.valid & ~state.valid)).any(1)
    return int(wrong.sum())


def with_times(m: Method) -> list[str]:
    """The samplers that sample their times, with `uniforms` in their law files.

    Without wraps and correctors, which call the model at other times.
    """
    alone = [s for s, parts in m.samplers.items() if not {"outer", "wrap", "corrector"} & {*parts}]
    return [s for s in alone if hasattr(m.law("sampler", m.samplers[s]["kind"]), "uniforms")]


class TimeRecorder:
    """A random model that records its times."""

    def __init__(self, m: Method):
        self.model = m.random_model()
        self.times: list[Tensor] = []

    def __getattr__(self, head: str):
        return getattr(self.model, head)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:
        self.times.append(t)
        return self.model(tokens, valid, t)


@law(
    "unmasking times follow the noise schedule",
    when(lambda m: bool(with_times(m)), "no sampler samples its times"),
)
def times(m: Method) -> Iterator[Figure]:
    """Numbers that are uniform if the times of the model follow the noise schedule.

    The control: these numbers to the power of 0.9.
    """
    uniform = torch.full((20,), 1 / 20, dtype=torch.float64)
    for s in with_times(m):
        recorder = TimeRecorder(m)
        m.run_sampler(s, recorder, m.start(m.toy_distribution(), 20_000), {})
        masked = [1 - m.schedule.alpha(t) for t in recorder.times]
        u = m.law("sampler", m.samplers[s]["kind"]).uniforms(masked, LONGEST)
        right, wrong = (
            max(surprise(bins(v**power, 20).double(), uniform) for v in u) for power in (1, 0.9)
        )
        yield Figure(right, ALARM, wrong, s)
