"""Laws of all samplers: their generator, fixed tokens, completion, and times."""

from collections.abc import Iterator
from contextlib import suppress

import torch
import torch.nn.functional as F
from torch import Tensor

from .completeness import incomplete
from .law import ALARM, Figure, law, when
from .law_files import Unverified
from .method import Method
from .sampler_runs import run_sampler
from .samples import bins, new_samples
from .step_laws import short_run
from .toy_distribution import LONGEST, PAD, SIZE, surprise


@law("samplers use their generator, with new samples in each call")
def new_sequences(m: Method) -> Iterator[Figure]:
    """With token rules that sample, sequences depend on the seed only. The control: one seed."""
    w, model = m.toy_distribution(), m.random_model()
    for s in m.samplers:

        def sampled_by(seed: int, global_seed: int, s: str = s) -> Tensor:
            torch.manual_seed(global_seed)  # must have no effect
            last = run_sampler(m, s, model, m.start(w, 500), short_run(m, s, "LOOSE"), seed)[-1]
            return last.tokens.masked_fill(~last.valid, PAD)

        yield new_samples(sampled_by, s)


@law("samplers never change fixed tokens")
def keeps(m: Method) -> Iterator[Figure]:
    """Prompts and canvases of several lengths, a fixed token after a gap.

    The number of sequences with changed fixed tokens, over all states. A small untrained model, and
    one with random outputs: the former may complete every sequence at once.
    """
    x = ragged(m)
    for s in m.module.SAMPLERS:
        states = [state for run in runs(m, s) for state in run]
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
        ends = [run[-1] for run in runs(m, s)]
        wrong, last = sum(incomplete(m, x, end) for end in ends), ends[0]
        end = last.valid & (last.valid.long().cumsum(1) == last.valid.sum(1, keepdim=True))
        tokens, fixed = last.tokens.masked_fill(end, m.vocab.bos), last.fixed & ~end
        other = last._replace(tokens=tokens, fixed=fixed)
        detail = f"{wrong} of {len(ends) * len(last.tokens)} sequences are not completed"
        yield Figure(wrong, 0, incomplete(m, x, other), s, detail)


def runs(m: Method, sampler: str) -> list[list]:
    """All states of a run of each model on ragged sequences, sampled once."""

    def sampled() -> list[list]:
        return [run_sampler(m, sampler, model, ragged(m), {}) for model in models(m)]

    return m.once(("run", sampler), sampled)


def models(m: Method) -> list:
    """A small untrained model, and one with random outputs where every head has a law file."""
    with suppress(Unverified):
        return [m.untrained, m.random_model()]
    return [m.untrained]


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
        run_sampler(m, s, recorder, m.start(m.toy_distribution(), 20_000), {})
        masked = [1 - m.schedule.alpha(t) for t in recorder.times]
        u = m.law("sampler", m.samplers[s]["kind"]).uniforms(masked, LONGEST)
        right, wrong = (
            max(surprise(bins(v**power, 20).double(), uniform) for v in u) for power in (1, 0.9)
        )
        yield Figure(right, ALARM, wrong, s)
