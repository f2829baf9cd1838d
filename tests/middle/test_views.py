"""Roll-ins: further inputs of the model in training, and the targets that read them."""

import inspect

import pytest
from methods import MASKED, package, steps_and_samples, text

from xlm_spec.compiler.frontend.load import load
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.likelihood import likelihood
from xlm_spec.diagnostics import Failed

UNROLLED = '''"""The tokens that the model draws at some of the masks.

Paper: arXiv:2112.06749 (SUNDAE)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor


class Unrolled(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    drawn: Tensor  # (B, L) bool


@torch.no_grad()
def unrolled(
    model,
    hidden: Tensor,
    tokens: Tensor,
    valid: Tensor,
    clean: Tensor,
    masked: Tensor,
    rng: Generator,
    *,
    share: float = 0.5,  # masks that are filled; in (0, 1]
) -> Unrolled:
    """Each mask with probability `share`."""
    u = torch.rand(masked.shape, generator=rng, device=masked.device)
    drawn = masked & (u < share)
    row, col = drawn.nonzero(as_tuple=True)
    guess = tokens.index_put((row, col), model.token_logits(hidden[row, col]).argmax(-1))
    return Unrolled(guess, valid, clean, drawn)
'''
DRAWN = '''"""The token of x_0 at the positions that the model filled."""

from torch import Tensor

from ..types import TokenPositions


def drawn_tokens(clean: Tensor, drawn: Tensor) -> TokenPositions:
    """The correct tokens there."""
    row, col = drawn.nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
'''
SUNDAE = {
    "noise": "{process: mask, count: bernoulli, roll_in: [./unrolled.py: {share: 0.25}]}",
    "target": "./drawn_tokens.py",
    "loss": "cross_entropy",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "unrolled.py").write_text(UNROLLED)
    (tmp_path / "drawn_tokens.py").write_text(DRAWN)
    return tmp_path


def method(folder, **changes: str):
    file = folder / "spec.yaml"
    file.write_text(text(MASKED, **changes))
    return compose(validate(load(file)))


def messages(folder, **changes: str) -> list[str]:
    with pytest.raises(Failed) as failed:
        check(method(folder, **changes))
    return [f"{d.code}: {d.message}" for d in failed.value.diagnostics]


def test_a_roll_in_has_parameters_at_its_path(folder):
    sundae = package(folder, **SUNDAE)
    source = inspect.getsource(sundae.objective)
    assert "share=config.noise.roll_in.unrolled.share" in source
    assert sundae.Config.small().noise.roll_in.unrolled.share == 0.25
    assert "cross_entropy(model, hidden_2, target)" in source
    steps_and_samples(sundae)


def test_a_target_reads_the_first_input_that_has_its_wires(folder):
    """`clean` is in both, `masked` only in the first: so is the target of masked tokens."""
    assert [t.view for t in method(folder, **SUNDAE | {"target": "masked_tokens"}).terms] == [0]
    assert [t.view for t in method(folder, **SUNDAE).terms] == [1]


def test_a_term_of_a_roll_in_is_no_term_of_a_bound(folder):
    weighted = SUNDAE | {"loss": "[cross_entropy: {weight: one}]"}
    found = method(folder, **weighted)
    check(found)
    assert likelihood(found) == "none"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    tokens: Tensor  # (B, L)\n",
            "",
            "X112: `Unrolled` must have fields `tokens` and `valid`, which the model reads",
        ),
        (
            ") -> Unrolled:",
            ") -> Tensor:",
            "X112: `unrolled` must return a NamedTuple of its file, not `Tensor`",
        ),
        (
            ") -> Unrolled:",
            "):",
            "X112: `unrolled` must return a NamedTuple of its file, but has no return type",
        ),
        (
            "def unrolled(",
            "def rolled(",
            "X112: a roll-in must define a function `unrolled`",
        ),
        (
            "class Unrolled(NamedTuple)",
            "class Unrolled",
            "X112: `unrolled` must return a NamedTuple of its file, not `Unrolled`",
        ),
    ],
)
def test_a_roll_in_that_makes_no_input(old, new, message, folder):
    assert old in UNROLLED
    (folder / "unrolled.py").write_text(UNROLLED.replace(old, new))
    assert message in messages(folder, **SUNDAE)


def test_a_class_of_the_process_and_of_a_roll_in_differ_in_name(folder):
    (folder / "unrolled.py").write_text(UNROLLED.replace("Unrolled", "Noised"))
    [found] = messages(folder, **SUNDAE)
    assert found == "X114: name `Noised` in `unrolled.py` is already used by process `mask`"


def test_a_model_with_time_gets_it_in_each_input(folder):
    sundae = package(folder, **SUNDAE, backbone="rotary_timed")
    assert "hidden_2 = model(z_2.tokens, z_2.valid, t)" in inspect.getsource(sundae.objective)


def test_a_roll_in_uses_only_what_the_model_has(folder):
    (folder / "unrolled.py").write_text(UNROLLED.replace("token_logits", "guesses"))
    assert messages(folder, **SUNDAE) == [
        "X207: roll_in `unrolled` uses `model.guesses`, which backbone `rotary` does not define"
    ]
