"""A wrong weight, and a wrong declaration of a loss, is one diagnostic."""

import pytest
from custom_weights import FAMILIES, copy_of_weights
from methods import text

from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed


@pytest.fixture
def folder(tmp_path):
    """A folder with custom weights and losses."""
    return copy_of_weights(tmp_path)


LOSSES = "[cross_entropy: {{weight: {weight}}}]"


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "message"),
    [
        ("half.py", "ELBO_WEIGHT = True\n", "", "X116", "a weight must declare `ELBO_WEIGHT`"),
        ("half.py", "rate: Tensor", "t: Tensor", "X112", "`half` must have an argument `rate`"),
        ("half.py", "= True", '= True\nCOUNT = "elbo_weight"', "X116", "cannot declare both"),
        ("half.py", "rate: Tensor", "rate: Tensor, level: Tensor", "X201", "requires `level`"),
        ("rate_alone.py", "ELBO_WEIGHT = True", "", "X112", "must define a function `rate_alone`"),
        ("rate_alone.py", "ELBO_WEIGHT", "ELBO_WEIGTH", "X116", "is not a declaration of a weight"),
        ("warm_up.py", "x: Examples", "x: Examples, epoch: int", "X201", "requires `epoch`"),
    ],
)
def test_a_wrong_weight_is_one_diagnostic(folder, file, old, new, code, message):
    wrong = folder / file
    assert old in wrong.read_text()
    wrong.write_text(wrong.read_text().replace(old, new, 1))
    spec = folder / "spec.yaml"
    spec.write_text(text(loss=LOSSES.format(weight=f"./{file}")))
    with pytest.raises(Failed) as failed:
        plan_of(spec)
    [d] = failed.value.diagnostics
    assert (d.code, message in d.message) == (code, True), d.message
    assert d.hint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("AUXILIARY = True", "AUXILIARY = 1", "`AUXILIARY` must be True or False"),
        ("AUXILIARY = True", "AUXILIARY = True\nELBO_TERM = True", "cannot declare both"),
        ("AUXILIARY = True", "AUXILIARY = True\nELBO_ALONE = True", "cannot declare both"),
        (
            "AUXILIARY = True",
            'AUXILIARY = True\nELBO_LOSS = "cross_entropy"',
            "cannot declare both",
        ),
        ("AUXILIARY = True", "AUXILLIARY = True", "is not a declaration of a loss"),
    ],
)
def test_a_wrong_declaration_of_a_loss_is_one_diagnostic(folder, old, new, message):
    wrong = folder / "agree.py"
    wrong.write_text(wrong.read_text().replace(old, new, 1))
    spec = folder / "spec.yaml"
    spec.write_text(text(loss="./agree.py"))
    with pytest.raises(Failed) as failed:
        plan_of(spec)
    [d] = failed.value.diagnostics
    assert (d.code, message in d.message) == ("X116", True), d.message


def test_a_parameter_of_a_loss_is_not_a_key_of_the_spec(folder):
    for name in ("weight", "of"):
        wrong = folder / "agree.py"
        wrong.write_text(
            (FAMILIES / "weights" / "agree.py").read_text().replace("more: f", f"{name}: f")
        )
        spec = folder / "spec.yaml"
        spec.write_text(text(loss="./agree.py"))
        with pytest.raises(Failed, match=f"parameter `{name}` has the name of a key"):
            plan_of(spec)


def test_a_misspelt_elbo_weight_of_a_process(folder):
    process = folder / "drawing_mask.py"
    process.write_text(process.read_text().replace('"unmasking_rate"}', '"unmasking_rat"}'))
    spec = folder / "spec.yaml"
    spec.write_text(text(noise="{process: ./drawing_mask.py}"))
    with pytest.raises(Failed) as failed:
        plan_of(spec)
    [d] = failed.value.diagnostics
    assert (d.code, d.hint) == ("X116", "did you mean `unmasking_rate`?")
