"""A sampler is exact only with a model that predicts what it needs."""

import pytest
from methods import checked, text

from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.likelihood import exact_at

UNIFORM = {
    "noise": "{process: uniform}",
    "target": "clean_tokens",
    "sampler": "uniform_posterior",
    "backbone": "rotary_timed",
}


@pytest.mark.parametrize(
    ("loss", "exact"),
    [
        ("interpolating_bound", {"sampler.steps": 128, "sampler.tokens.temperature": 1}),
        ("cross_entropy", None),
    ],
)
def test_exactness_depends_on_what_the_loss_trains(loss, exact):
    """The minimiser of cross-entropy sees the token at its position, which the sampler forbids."""
    method = compose(checked(text(UNIFORM, loss=loss)))
    assert exact_at(method, method.loops[0]) == exact
