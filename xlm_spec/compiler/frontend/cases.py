"""Tables of cases: when a hint applies, and its text; each case has an example as its key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xlm_spec.compiler.frontend.location import Location


@dataclass(frozen=True)
class Case:
    """`finds` returns a false value if the case does not apply at a location.

    `says` returns the hint. Without `says` the hint is the result of `finds`; if that is True, the
    hint of the example.
    """

    finds: Callable[[Location], Any]
    says: Callable[[Location, Any], str] | None = None


Cases = Mapping[str, Case]  # by an example: `line -> hint`


def answer(cases: Cases, location: Location) -> tuple[str, str]:
    """The example and the hint of the first case that applies; "" if none does."""
    for example, case in cases.items():
        if found := case.finds(location):
            hint = example.partition(" -> ")[2] if found is True else found
            return example, case.says(location, found) if case.says else hint
    return "", ""
