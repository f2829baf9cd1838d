"""A bound whose losses leave out a choice of the process, or count one twice, is none (X356)."""

import pytest
from methods import CLOCKED, EDITED, GROWN, INSERTED, text

from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.likelihood import likelihood

TOTAL = "[missing_count, gap_tokens]"
WEIGHTED = "[count_divergence: {{weight: elbo}}, {0}: {{weight: elbo}}]"
COUNTED = "[{0}: {{weight: per_count}}, stop_cross_entropy: {{weight: per_count}}]"


def claim(base: dict[str, str], **changes: str) -> tuple[str, list[str]]:
    """What a method reports, and the codes of its warnings."""
    method = compose(validate(parse(text(base, **changes).encode(), "<spec>")))
    return likelihood(method), [d.code for d in check(method)]


@pytest.mark.parametrize(
    "name", ["whole", "without the gap", "its gap twice", "by orders", "by counts"]
)
def test_of_each_choice_one_loss_of_the_bound_takes_account(name):
    per_gap, joint, order = (
        WEIGHTED.format(n)
        for n in ("per_gap_cross_entropy", "joint_cross_entropy", "insertion_bound")
    )
    clock = {"target": TOTAL, "sampler": "timed_insertion"}
    whole = [
        (GROWN, {}),
        (CLOCKED, {}),
        (EDITED, {}),
        (INSERTED, {}),
        (GROWN, clock | {"loss": joint}),
    ]
    cases = {
        "whole": whole,
        "without the gap": [(CLOCKED, {"loss": per_gap}), (GROWN, clock | {"loss": per_gap})],
        "its gap twice": [(GROWN, {"loss": joint}), (EDITED, {"loss": joint_of_edits()})],
        "by orders": [(GROWN, {"loss": order}), (GROWN, clock | {"loss": order})],
        "by counts": [
            (INSERTED, {"loss": COUNTED.format(n)})
            for n in ("per_gap_cross_entropy", "joint_cross_entropy")
        ],
    }
    for base, changes in cases[name]:
        found, warned = claim(base, **changes)
        assert (found != "none") == (name == "whole"), (base, changes)
        assert ("X356" in warned) == (name != "whole")


def joint_of_edits() -> str:
    return EDITED["loss"].replace("per_gap_cross_entropy", "joint_cross_entropy")


def test_the_hint_names_a_loss_that_fits():
    spec = text(CLOCKED, loss=WEIGHTED.format("per_gap_cross_entropy"))
    [found] = [
        d for d in check(compose(validate(parse(spec.encode(), "<spec>")))) if d.code == "X356"
    ]
    assert found.hint == "write loss `joint_cross_entropy`"
