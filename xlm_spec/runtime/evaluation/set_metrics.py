"""Metrics of all samples together: of their texts, or of their tokens.

SetMetric is the base of one's own: a class with a method `of(texts, references)`.
"""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from xlm_spec.runtime.machine.extras import require


class SetMetric(Metric):
    """Collects the texts of all devices. A subclass defines `of`, which returns a number."""

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        for name in ("texts", "references"):
            self.add_state(f"{name}_bytes", [], dist_reduce_fx="cat")
            self.add_state(f"{name}_sizes", [], dist_reduce_fx="cat")

    def update(self, texts: list[str], references: list[str]) -> None:
        for name, given in (("texts", texts), ("references", references)):
            encoded = [t.encode("utf-8", "replace") for t in given]
            sizes = torch.tensor([len(e) for e in encoded], dtype=torch.long)
            content = torch.tensor([*b"".join(encoded)], dtype=torch.uint8)
            getattr(self, f"{name}_bytes").append(content.to(self.device))
            getattr(self, f"{name}_sizes").append(sizes.to(self.device))

    def compute(self) -> float:
        return self.of(self.collected("texts"), self.collected("references"))

    def of(self, texts: list[str], references: list[str]) -> float:
        """The figure of all samples, and of the true texts of the same examples."""
        raise NotImplementedError

    def collected(self, name: str) -> list[str]:
        content = bytes(joined(getattr(self, f"{name}_bytes")).tolist())
        found, at = [], 0
        for size in joined(getattr(self, f"{name}_sizes")).tolist():
            found.append(content[at : at + size].decode("utf-8", "replace"))
            at += size
        return found


def joined(state: Tensor | list[Tensor]) -> Tensor:
    """A state of a metric; other devices leave it joined."""
    if isinstance(state, Tensor):
        return state
    return torch.cat(state) if state else torch.zeros(0, dtype=torch.long)


class Bleu(SetMetric):
    """BLEU of the answers in percent (arXiv:1804.08771); requires the library sacrebleu."""

    def __init__(self, *, tokenize: str = "13a") -> None:
        super().__init__()
        self.metric = require("sacrebleu", "this metric").BLEU(tokenize=tokenize)

    def of(self, texts: list[str], references: list[str]) -> float:
        return float(self.metric.corpus_score(texts, [references]).score) if texts else 0.0


class Chrf(SetMetric):
    """chrF of the answers in percent (Popović 2015); requires the library sacrebleu.

    `word_order` 2 is chrF++.
    """

    def __init__(self, *, word_order: int = 0) -> None:
        super().__init__()
        self.metric = require("sacrebleu", "this metric").CHRF(word_order=word_order)

    def of(self, texts: list[str], references: list[str]) -> float:
        return float(self.metric.corpus_score(texts, [references]).score) if texts else 0.0


def at_least_one(n: int) -> int:
    if n < 1:
        raise ValueError(f"n-grams have at least one token, not {n}")
    return n


class Distinct(Metric):
    """Distinct n-grams of all answers, as a share of their n-grams (arXiv:1510.03055)."""

    full_state_update = False
    grams: Any

    def __init__(self, *, n: int = 2) -> None:
        super().__init__()
        self.n = at_least_one(n)
        self.add_state("grams", [], dist_reduce_fx="cat")

    def update(self, answers: Tensor) -> None:
        rows = [row[row >= 0] for row in answers]
        grams = [row.unfold(0, self.n, 1) for row in rows if len(row) >= self.n]
        self.grams.append(torch.cat([answers.new_zeros(0, self.n), *grams]))

    def compute(self) -> float:
        grams = self.grams if isinstance(self.grams, Tensor) else torch.cat(self.grams)
        return len(grams.unique(dim=0)) / len(grams) if len(grams) else 0.0


class Repetition(Metric):
    """Share of the n-grams of an answer that occur before in it (arXiv:1908.04319).

    sum_i (n-grams of answer i - distinct ones of it) / sum_i n-grams of answer i; 0 without any.
    """

    full_state_update = False
    repeated: Tensor
    total: Tensor

    def __init__(self, *, n: int = 4) -> None:
        super().__init__()
        self.n = at_least_one(n)
        self.add_state("repeated", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def update(self, answers: Tensor) -> None:
        for row in answers:
            tokens = row[row >= 0]
            if len(tokens) >= self.n:
                grams = tokens.unfold(0, self.n, 1)
                self.total += len(grams)
                self.repeated += len(grams) - len(grams.unique(dim=0))

    def compute(self) -> float:
        return int(self.repeated) / max(1, int(self.total))


class Perplexity(Metric):
    """exp(sum of nats / sum of tokens), named `perplexity` if exact, else `perplexity_bound`.

    The nats are those of log_likelihood_bound, so that `perplexity_bound` is above the perplexity
    in expectation.
    """

    full_state_update = False
    nats: Tensor
    tokens: Tensor

    def __init__(self, run) -> None:
        super().__init__()
        exact = getattr(run.package, "EXACT", False)
        self.figure_name = "perplexity" if exact else "perplexity_bound"
        self.add_state("nats", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, nats: Tensor, tokens: Tensor) -> None:
        self.nats += nats.double().sum()
        self.tokens += tokens.double().sum()

    def compute(self) -> Tensor:
        return (self.nats / self.tokens).exp()
