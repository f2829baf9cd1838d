"""Random walks on a weighted graph: sequences whose law is known, so that divergences are computed.

The graph is a cycle of `nodes` nodes with `chords` more edges; edge {i, j} has a weight w_ij from 1
to 4. A walk starts at node i with probability pi_i = w_i / sum_k w_k, where w_i = sum_j w_ij, and
goes from i to j with probability P_ij = w_ij / w_i (Cover and Thomas, Elements of Information
Theory, 4.3). pi is stationary, so the entropy of a walk of L nodes is H(pi) + (L - 1) sum_i pi_i
H(P_i): no method has a smaller expected loss. Sequences are drawn independently: none is left out
of a split because it is in another one, as that would change the law.

Of samples: `law_legal`, share of walks of L nodes along edges; `law_tv`, total variation between
the transitions of all samples and the expected ones, pi_i P_ij, with its standard error
`law_tv_error`; `law_tv_exact`, the mean that as many exact samples have, with its deviation
`law_tv_exact_sd`. Of the likelihood, if the package has one: `law_kl_nats`, the mean of log p(x) -
log q(x) over the split, in nats per sequence, which is KL(law | model), or an upper bound of it,
with `law_kl_error`. The optimum of `law_kl_nats` is 0, that of `law_legal` 1, that of `law_tv`
about `law_tv_exact`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric as TorchMetric

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.randomness import generator, seed_of
from xlm_spec.runtime.tasks.generated import Example, Generated
from xlm_spec.runtime.tasks.task import UNCONDITIONAL, Metric

HEAVIEST = 4  # weight of an edge
RESAMPLES = 200  # of the bootstrap
EXACT = 30  # sets of exact samples that `law_tv_exact` is the mean of


@dataclass(frozen=True)
class Options:
    """Options of the random walk."""

    nodes: int = 12  # nodes of the graph; in [3, 200]
    chords: int = 8  # edges besides those of the cycle; in [0, inf)
    visits: int = 24  # nodes of a walk; in [2, inf)
    examples: int = 20_000  # walks for training; in [1, inf)
    seed: int = 42  # seed of the graph and of the walks


@dataclass(frozen=True)
class Law:
    """The distribution of walks: start (K,), step (K, K), float64."""

    start: Tensor
    step: Tensor
    length: int

    @property
    def entropy(self) -> float:
        """Nats per walk."""
        of_step = -(self.start[:, None] * self.step.xlogy(self.step)).sum()
        of_start = -self.start.xlogy(self.start).sum()
        return float(of_start + (self.length - 1) * of_step)

    @property
    def transitions(self) -> Tensor:
        """The expected share of each transition i, j, (K, K)."""
        return self.start[:, None] * self.step

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        """Walks, (n, length)."""
        nodes = [torch.multinomial(self.start, n, replacement=True, generator=rng)]
        ends = self.step.cumsum(1)
        ends[:, -1] = 1.0 + 1e-9  # rounding leaves no gap
        for _ in range(self.length - 1):
            u = torch.rand(n, 1, dtype=torch.float64, generator=rng)
            nodes.append((u >= ends[nodes[-1]]).sum(1))
        return torch.stack(nodes, 1)

    def log_probability(self, walks: Tensor) -> Tensor:
        """log p of each walk (n, length), float64; -inf off the edges."""
        start = self.start.log()[walks[:, 0]]
        return start + self.step.log()[walks[:, :-1], walks[:, 1:]].sum(1)

    def counts(self, answers: Tensor) -> Tensor:
        """The transitions of each answer (n, W), padded with -1: (n, K * K + 1) float64.

        The last column counts those from or to a token that is no node.
        """
        k = len(self.start)
        here, there = answers[:, :-1], answers[:, 1:]
        index = torch.where((here < k) & (there < k), here * k + there, k * k)
        counts = torch.zeros(len(answers), k * k + 1, dtype=torch.float64, device=answers.device)
        return counts.scatter_add_(1, index.clamp(min=0), ((here >= 0) & (there >= 0)).double())


def law_of(options: Options) -> Law:
    """The law of a graph that the seed determines."""
    rng, k = Random(seed_of("walk", options.seed)), options.nodes
    cycle = {frozenset((i, (i + 1) % k)) for i in range(k)}
    others = [(i, j) for i in range(k) for j in range(i) if frozenset((i, j)) not in cycle]
    weights = torch.zeros(k, k, dtype=torch.float64)
    for i, j in [*sorted(sorted(e) for e in cycle), *rng.sample(others, options.chords)]:
        weights[i, j] = weights[j, i] = rng.randint(1, HEAVIEST)
    of_node = weights.sum(1)
    return Law(of_node / of_node.sum(), weights / of_node[:, None], options.visits)


@dataclass(frozen=True)
class Walk(Generated):
    """Random walks; the token of a node is its number."""

    options: Options = Options()
    name = "walk"

    def require(self) -> None:
        o = self.options
        most = o.nodes * (o.nodes - 3) // 2
        if o.chords > most:
            message = f"data.chords = {o.chords}: a cycle of {o.nodes} nodes has {most} chords"
            raise Failed(Diagnostic("X506", message, "use fewer chords or more nodes"))

    @cached_property
    def law(self) -> Law:
        return law_of(self.options)

    @property
    def tokenizer(self) -> WordTokenizer:
        return WordTokenizer(tuple(map(str, range(self.options.nodes))))

    longest_prompt = 0

    @property
    def longest_answer(self) -> int:
        return self.options.visits

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return UNCONDITIONAL | {"law_legal": Metric(partial(legal, self.law))}

    @property
    def set_metrics(self) -> Mapping[str, Callable[[], Any]]:
        of_samples = partial(Transitions, self.law, self.options.seed)
        return {"law": of_samples, "law_kl": partial(Divergence, self.law)}

    def draw(self, seed: int, n: int) -> list[Example]:
        return [([], walk) for walk in self.law.draw(n, generator(seed)).tolist()]

    def key(self, example: Example) -> object:
        return object()  # walks of two splits may be the same


def legal(law: Law, answers: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
    """1 if an answer is a walk of the law, else 0; weight 1."""
    answers = F.pad(answers, (0, law.length + 1), value=-1)
    walks, k = answers[:, : law.length], len(law.start)
    found = (answers[:, law.length] < 0) & ((walks >= 0) & (walks < k)).all(1)
    step = law.step.to(answers.device) > 0
    inside = walks.clamp(0, k - 1)
    found &= step[inside[:, :-1], inside[:, 1:]].all(1)
    return found.double(), torch.ones(len(found), dtype=torch.float64, device=answers.device)


class Transitions(TorchMetric):
    """The total variation between the transitions of samples and those of a law."""

    full_state_update = False
    counts: Any

    def __init__(self, law: Law, seed: int) -> None:
        super().__init__()
        self.law, self.seed = law, seed
        self.add_state("counts", [], dist_reduce_fx="cat")

    def update(self, answers: Tensor) -> None:
        self.counts.append(self.law.counts(answers.cpu()).to(answers.device))

    def compute(self) -> dict[str, float]:
        """tv, its standard error by the bootstrap over samples, and those of exact samples."""
        joined = self.counts if isinstance(self.counts, Tensor) else torch.cat(self.counts)
        counts, n = joined.cpu(), len(joined)
        if not counts.sum():
            return {"tv": 1.0, "tv_error": 0.0, "tv_exact": 0.0, "tv_exact_sd": 0.0}
        rng = generator(self.seed, "bootstrap")
        drawn = torch.randint(n, (RESAMPLES, n), generator=rng)
        weights = torch.zeros(RESAMPLES, n, dtype=torch.float64)
        weights.scatter_add_(1, drawn, torch.ones_like(weights))
        walks = self.law.draw(EXACT * n, rng)
        exact = self.law.counts(walks).view(EXACT, n, -1).sum(1)
        return {
            "tv": float(self.variation(counts.sum(0))),
            "tv_error": float(self.variation(weights @ counts).std()),
            "tv_exact": float(self.variation(exact).mean()),
            "tv_exact_sd": float(self.variation(exact).std()),
        }

    def variation(self, counts: Tensor) -> Tensor:
        """1/2 sum_ij |share_ij - pi_i P_ij| of counts (..., K * K + 1)."""
        expected = F.pad(self.law.transitions.flatten(), (0, 1))
        return (counts / counts.sum(-1, keepdim=True) - expected).abs().sum(-1) / 2


class Divergence(TorchMetric):
    """The mean of log p(x) - log q(x) over walks x of a law p, for a model q."""

    full_state_update = False
    sums: Tensor

    def __init__(self, law: Law) -> None:
        super().__init__()
        self.law = law
        self.add_state("sums", torch.zeros(3, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, nats: Tensor, rows: Rows) -> None:
        """nats: -log q(x), or an upper bound of it, (B,)."""
        walks = rows.answer[:, : self.law.length].cpu()
        values = nats.cpu().double() + self.law.log_probability(walks)
        parts = [torch.ones_like(values), values, values.square()]
        self.sums += torch.stack(parts, 1).sum(0).to(self.sums.device)

    def compute(self) -> dict[str, float]:
        """The mean in nats per walk, and its standard error."""
        n, total, squares = self.sums.tolist()
        mean = total / max(n, 1)
        variance = max(0.0, squares / max(n, 1) - mean**2)
        return {"nats": mean, "error": (variance / max(n - 1, 1)) ** 0.5}


TASK = Walk()
