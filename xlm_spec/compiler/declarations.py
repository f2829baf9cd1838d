"""The constants that a component declares, such as `ATTENTION = "causal"` in a target.

The compiler reads, checks and documents them from the table below. A constant that is not in the
table, and that no code of the file uses, is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.declared_types import (
    Conversion,
    Divisors,
    Flag,
    Form,
    LossOfElbo,
    Name,
    NameByTarget,
    OtherHead,
    Targets,
    Values,
    ValuesOfAxes,
    Word,
    literal,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Declaration(Generic[T]):
    """One constant. `default` is its value in a component that does not declare it."""

    name: str
    folders: tuple[str, ...]  # the axes whose components may declare it
    form: Form
    meaning: str
    example: str
    default: T
    required: Callable[[Component], bool] = lambda c: False

    @property
    def line(self) -> str:
        """An example of the declaration."""
        return f"{self.name} = {self.example}"

    def of(self, c: Component) -> T:
        assert c.folder in self.folders, f"a {c.folder} declares no `{self.name}`"
        value: T = c.constants.get(self.name, self.default)
        return value

    def written(self, c: Component) -> str:
        """The line in which a component declares it; "" if it does not."""
        if self.name not in c.constants:
            return ""
        return f"{self.name} = {literal(c.constants[self.name])}"


def takes_rate(weight: Component) -> bool:
    """Does the function of a weight compute it from a rate?"""
    return weight.value in weight.functions and "rate" in weight.main.wires


SAMPLING = ("sampler", "order", "tokens", "stop", "remasking", "wrap", "corrector")

ELBO_WEIGHTS = Declaration[dict[str, str]](
    "ELBO_WEIGHTS",
    ("process",),
    NameByTarget(),
    'for each target of the ELBO, its weight: a function of the count or of this file, or "one"',
    '{"masked_tokens": "elbo_weight"}',
    {},
)
UNMARKED = Declaration[bool](
    "UNMARKED",
    ("process",),
    Flag(),
    "a corrupted token can look like any other: x_t does not show which tokens are corrupted",
    "True",
    False,
)
PRIOR_AT = Declaration[dict[str, Any] | None](
    "PRIOR_AT",
    ("schedule",),
    Values(),
    "the parameter values for which alpha(0) = 1 and alpha(1) = 0; {} for all values; others, and "
    "a schedule without the declaration, give no ELBO",
    '{"eps": 0.0}',
    None,
)
IMPORTANCE = Declaration[bool](
    "IMPORTANCE",
    ("time",),
    Flag(),
    "each term of the objective is divided by `density`: its mean is that with uniform times",
    "True",
    False,
)
ATTENTION = Declaration[str](
    "ATTENTION",
    ("target",),
    Word(("causal", "bidirectional")),
    "the positions that each position attends to: itself and earlier ones, or all",
    '"causal"',
    "bidirectional",
)
ELBO_TERM = Declaration[bool](
    "ELBO_TERM",
    ("loss",),
    Flag(),
    "with the ELBO weight, this loss is a term of the negative ELBO",
    "True",
    False,
)
AUXILIARY = Declaration[bool](
    "AUXILIARY",
    ("loss",),
    Flag(("ELBO_TERM", "ELBO_ALONE")),
    "this loss is not a likelihood term: the bound leaves it out",
    "True",
    False,
)
ELBO_LOSS = Declaration[str](
    "ELBO_LOSS",
    ("loss",),
    LossOfElbo("ELBO_TERM", ("ELBO_TERM", "ELBO_ALONE", "AUXILIARY")),
    "the loss that replaces this one as a term of the negative ELBO",
    '"insertion_bound"',
    "",
)
ELBO_ALONE = Declaration[bool](
    "ELBO_ALONE",
    ("loss",),
    Flag(),
    "without a weight, this loss is a term of the negative ELBO",
    "True",
    False,
)
ELBO_BESIDE = Declaration[tuple[str, ...]](
    "ELBO_BESIDE",
    ("loss",),
    Targets(),
    "the targets one of which a spec has, if this loss is a term of the negative ELBO: its loss"
    " scores what this one leaves out",
    '("gap_counts", "expected_gap_counts")',
    (),
)
MINIMISER = Declaration[str](
    "MINIMISER",
    ("loss",),
    Word(("posterior", "leave_one_out", "expected_count")),
    "the output of its head that minimises the loss: p(target | x_t), p(target | x_t without the"
    " token at its position), or the mean of the target, a number per position, given x_t",
    '"posterior"',
    "",
)
COUNT = Declaration[str](
    "COUNT",
    ("weight",),
    Name(),
    "the function of the count that is the weight, or the `rate` that the weight is computed from",
    '"elbo_weight"',
    "",
)
ELBO_WEIGHT = Declaration[bool](
    "ELBO_WEIGHT",
    ("weight",),
    Flag(("COUNT",)),
    "the ELBO weight of the target is the weight, or the `rate` that the weight is computed from",
    "True",
    False,
    required=lambda c: takes_rate(c) and "COUNT" not in c.constants,
)
EXACT_AT = Declaration[dict[str, Any] | None](
    "EXACT_AT",
    SAMPLING,
    Values(),
    "the parameter values for which samples follow the model's distribution; {} for all values",
    '{"steps": 512}',
    None,
)
PREDICTIONS = Declaration[str](
    "PREDICTIONS",
    ("sampler",),
    Word(("posterior", "leave_one_out")),
    "the MINIMISER of the losses without which the sampler is not exact",
    '"leave_one_out"',
    "",
)
REQUIRES = Declaration[dict[str, tuple[str, ...]]](
    "REQUIRES",
    ("corrector",),
    ValuesOfAxes(("process", "target")),
    "the processes whose states the corrector keeps, and the targets that its heads predict",
    '{"process": ("independent_drop",)}',
    {},
)
CONVERTS = Declaration[dict[str, str]](
    "CONVERTS",
    ("wrap",),
    Conversion(),
    "the MINIMISER of the losses of the wrapped model, and the one whose output the wrap computes",
    '{"posterior": "leave_one_out"}',
    {},
)
LIKE = Declaration[str](
    "LIKE",
    ("head",),
    OtherHead(),
    "the head whose class this one shares; each has weights of its own",
    '"token_logits"',
    "",
    required=lambda c: not c.modules,
)
SMALL = Declaration[dict[str, Any]](
    "SMALL",
    ("backbone",),
    Values(),
    "the parameter values of a tiny backbone, for tests",
    '{"layers": 2, "width": 32}',
    {},
    required=lambda c: True,
)
EVEN = Declaration[dict[str, str]](
    "EVEN",
    ("backbone",),
    Divisors(),
    "for a parameter, the parameter that gives its number of equal parts of even size",
    '{"width": "heads"}',
    {},
)
DECLARATIONS: tuple[Declaration, ...] = (
    *(ELBO_WEIGHTS, UNMARKED, PRIOR_AT, IMPORTANCE, ATTENTION),
    *(ELBO_TERM, ELBO_ALONE, ELBO_LOSS, ELBO_BESIDE, AUXILIARY, MINIMISER, PREDICTIONS, CONVERTS),
    *(COUNT, ELBO_WEIGHT, EXACT_AT, REQUIRES, LIKE, SMALL, EVEN),
)


def of_axis(folder: str) -> dict[str, Declaration]:
    """The declarations that components of an axis may have, by name."""
    return {d.name: d for d in DECLARATIONS if folder in d.folders}
