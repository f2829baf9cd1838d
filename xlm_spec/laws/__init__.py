"""Laws that hold for a method before training, on a distribution small enough to enumerate.

Imports torch and the standard library only. `verify_package(folder)` tests all laws of a package,
`check_law(load_package(folder), law)` one of `LAWS`. The laws of a component are in a law file
beside it: protocols.py defines its contents, and a law file imports what it needs from here.
"""

from collections.abc import Iterable
from pathlib import Path

from . import (
    bound_laws,
    corrector_laws,
    exactness_laws,
    formula_laws,
    input_laws,
    model_laws,
    network_laws,
    rule_laws,
    sampler_laws,
    schedule_laws,
    set_laws,
    shape_laws,
    state_laws,
    step_laws,
    term_laws,
    time_laws,
)
from .chains import mixed
from .claims import Claim, claims_of
from .counting import Counting
from .law import LAWS, NOT_TESTED, Law, Result, check_law, verify
from .law_files import Unverified
from .method import Method
from .models import UNIFORM, perturbed
from .package import NoPackage, Unusable, import_package, plan_of
from .protocols import Occurrences, Step
from .sampling import Sampling
from .toy_distribution import BOS, EOS, LONGEST, MASK, PAD, SIZE, Tokens, ToyDistribution, V

ORDER = (
    *(shape_laws, schedule_laws, time_laws, set_laws, input_laws, state_laws),
    *(bound_laws, term_laws, formula_laws),
    *(exactness_laws, step_laws, sampler_laws, corrector_laws),
    *(model_laws, rule_laws, network_laws),
)
NAMES = [module.__name__ for module in ORDER]
LAWS.sort(key=lambda law: NAMES.index(law.measure.__module__))

__all__ = [
    "BOS",
    "EOS",
    "LAWS",
    "LONGEST",
    "MASK",
    "NOT_TESTED",
    "PAD",
    "SIZE",
    "UNIFORM",
    "Claim",
    "Counting",
    "Law",
    "Method",
    "NoPackage",
    "Occurrences",
    "Result",
    "Sampling",
    "Step",
    "Tokens",
    "ToyDistribution",
    "Unusable",
    "Unverified",
    "V",
    "check_law",
    "claims_of",
    "load_package",
    "mixed",
    "perturbed",
    "verify",
    "verify_package",
]


def load_package(folder: str | Path) -> Method:
    """The method of the package in a folder. Raises NoPackage, Unusable."""
    folder = Path(folder)
    plan = plan_of(folder)
    module = import_package(folder, plan["name"])
    try:
        return Method(module, plan)
    except Exception as e:
        message = f"the package is incomplete: {type(e).__name__}: {e}"
        raise Unusable(message, folder / plan["name"]) from None


def verify_package(folder: str | Path, laws: Iterable[Law] | None = None) -> list[Result]:
    """The results of all laws, or of the given ones, for the package in a folder."""
    return [*verify(load_package(folder), laws)]
