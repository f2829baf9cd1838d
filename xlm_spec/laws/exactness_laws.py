"""Laws of exact samplers: their samples follow the data distribution."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .claims import SAMPLER
from .completeness import incomplete
from .exact_model import exact_model, unknown_minimiser
from .law import ALARM, Figure, law, needs, when
from .method import Method
from .sampler_runs import exact_at, run_sampler
from .toy_distribution import ToyDistribution, surprise

ROWS = 10_000
FEW = 1_000  # samples that detect most perturbed models

exact_samplers = when(
    lambda m: any(exact_at(m, s) is not None for s in m.module.SAMPLERS),
    "no sampler declares `EXACT_AT`",
)


def exact(m: Method) -> list[str]:
    return [s for s in m.module.SAMPLERS if exact_at(m, s) is not None]


def sample_counts(
    m: Method, sampler: str, model, w: ToyDistribution, parameters, prompt=()
) -> Tensor:
    """Counts of each sequence, and of anything else, in 10,000 samples."""
    last = run_sampler(m, sampler, model, m.start(w, ROWS, prompt), parameters)[-1]
    return w.counts(last.tokens, last.valid)


def deviation(
    m: Method, sampler: str, model, w: ToyDistribution, prompt=(), rows: int = ROWS
) -> float:
    """The surprise of the samples, with the parameters with which the sampler is exact.

    It is infinite for anything that is not a sequence of the distribution. A sampler that is exact
    in the limit of many steps is allowed up to 1% of other completed sequences.
    """
    parameters = exact_at(m, sampler) or {}
    start = m.start(w, rows, prompt)
    last = run_sampler(m, sampler, model, start, parameters)[-1]
    counts = w.counts(last.tokens, last.valid)
    limit = any(name.endswith(".steps") for name in parameters)
    if limit and counts[-1] < rows / 100 and not incomplete(m, start, last):
        counts[-1] = 0
    return surprise(counts, with_others(w.p))


def control(m: Method, sampler: str, model, w: ToyDistribution, prompt=()) -> float:
    """The surprise of a perturbed model's samples: of 1,000 if these detect it, else of 10,000."""
    few = deviation(m, sampler, model, w, prompt, FEW)
    return few if few > ALARM else deviation(m, sampler, model, w, prompt)


def with_others(p: Tensor) -> Tensor:
    """The probabilities of the sequences, and 0 for anything else."""
    return torch.cat([p, torch.zeros(1, dtype=torch.float64)])


@law(
    "with the exact model the sampler follows the data distribution",
    needs(exact_samplers, unknown_minimiser),
    claim=SAMPLER,
)
def follows(m: Method) -> Iterator[Figure]:
    """10,000 samples, with the parameters of `EXACT_AT`. The control: a perturbed model."""
    w = m.toy_distribution()
    for s in exact(m):
        right = deviation(m, s, exact_model(m, w), w)
        yield Figure(right, ALARM, control(m, s, exact_model(m, w, 0.05), w), s)


@law(
    "after a prompt the sampler follows the conditional distribution",
    needs(exact_samplers, unknown_minimiser),
    claim=SAMPLER,
)
def follows_after_prompt(m: Method) -> Iterator[Figure]:
    w = m.toy_distribution().conditional((1,))
    for s in exact(m):
        right = deviation(m, s, exact_model(m, w, prompt=1), w, (1,))
        wrong = exact_model(m, w, 0.08, prompt=1)
        yield Figure(right, ALARM, control(m, s, wrong, w, (1,)), s)
