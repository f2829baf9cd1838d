"""What a package claims, and whether the laws prove it.

A package claims a lower bound of log p(x) if it defines `log_likelihood_bound`, the exact log p(x)
if it also sets `EXACT`, and that a sampler is exact if the sampler declares `EXACT_AT`: with those
parameters, which need not be those of the spec.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce

from .law import LAWS, Law, Result
from .method import Method
from .sampler_runs import config_path, exact_at

BOUND, LIKELIHOOD, SAMPLER = "bound", "exact likelihood", "exact sampler"


@dataclass(frozen=True)
class Claim:
    """`verdict`: proved or refuted, by `laws`, or unproved, with the reason.

    `at`: of a sampler, the parameters in which it differs from that of the spec, in words.
    """

    claim: str
    verdict: str
    laws: tuple[str, ...] = ()
    why: str = ""
    at: str = ""

    def line(self) -> str:
        by = ", ".join(f'"{law}"' for law in self.laws)
        at = f", with {self.at}" if self.at else ""
        return f"{self.claim}{at}: {self.verdict}{' by ' + by if by else ': ' + self.why}"

    def as_json(self) -> dict:
        return {
            "claim": self.claim,
            "at": self.at,
            "verdict": self.verdict,
            "laws": [*self.laws],
            "why": self.why,
        }


def claims_of(m: Method, results: Iterable[Result]) -> list[Claim]:
    """The claims of a package, each with the verdict of these results."""
    results = [*results]
    found = []
    if hasattr(m.module, "log_likelihood_bound"):
        found.append(judged(LIKELIHOOD if m.module.EXACT else BOUND, "", results))
    samplers = [s for s in m.module.SAMPLERS if exact_at(m, s) is not None]
    return found + [replace(judged(SAMPLER, s, results), at=other(m, s)) for s in samplers]


def other(m: Method, sampler: str) -> str:
    """The parameters of `EXACT_AT` that the spec does not have: `steps = 512, not 128`."""
    prefix = f"{config_path(m, sampler)}."
    pairs = []
    for path, value in (exact_at(m, sampler) or {}).items():
        own = reduce(getattr, path.split("."), m.as_written)
        if own != value:
            pairs.append(f"{path.removeprefix(prefix)} = {value}, not {own}")
    return " and ".join(pairs)


def judged(claim: str, of: str, results: list[Result]) -> Claim:
    """The verdict of the laws of a claim; `of` is the sampler that it is about.

    The exact likelihood is also a bound, so a law of the bound refutes it, but does not prove it.
    """
    refuting = (claim, BOUND) if claim == LIKELIHOOD else (claim,)
    ours = {law: of_law(law, of, results) for law in LAWS if law.claim in refuting}
    name = f"{claim} {of}".strip()
    failed = [law.name for law, found in ours.items() if any(r.status == "failed" for r in found)]
    if failed:
        return Claim(name, "refuted", tuple(failed))
    proofs = {law.name: ours[law] for law in ours if law.proof and law.claim == claim}
    held = [law for law, found in proofs.items() if found and all_held(found)]
    if held:
        return Claim(name, "proved", tuple(held))
    reasons = [why(r) for found in proofs.values() for r in found]
    reason = next(iter(reasons), "no law of it was tested")
    tested = [law.name for law, found in ours.items() if found and all_held(found)]
    more = "".join(f'; "{law}" does not refute it' for law in tested)
    return Claim(name, "unproved", (), reason + more)


def of_law(law: Law, of: str, results: list[Result]) -> list[Result]:
    """The results of a law, about this sampler or about the whole method."""
    found = [r for r in results if r.law == law.name]
    return [r for r in found if not of or r.figure is None or r.figure.of == of]


def all_held(results: list[Result]) -> bool:
    return all(r.status == "held" for r in results)


def why(r: Result) -> str:
    """Why this result proves nothing."""
    return r.why or f'"{r.law}" is {r.status}'
