"""Weights that are numbers, functions or schedules of the step, and what they do to the bound.

Each package trains a step with finite gradients. A bound is compared with that of MDLM under the
same draws, to the bit, or with the entropy of an enumerated distribution.
"""

import subprocess
import sys

import pytest
import torch
from custom_weights import FAMILIES, copy_of_weights, examples, source, trained
from methods import PLAIN, ROOT, package, text

from xlm_spec.compiler.plan import checked
from xlm_spec.workbench import verify


@pytest.fixture
def folder(tmp_path):
    """A folder with custom weights and losses."""
    return copy_of_weights(tmp_path)


def bound(method, model):
    """The bound with the same draws as every other."""
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        return method.log_likelihood_bound(
            model.eval(), examples(method), method.Config.small(), rng
        )


def statuses(file) -> set[str]:
    """The statuses of the laws of a package."""
    return {r.status for r in verify(str(file)).results}


@pytest.mark.parametrize(
    "losses",
    [
        "[cross_entropy: {weight: elbo}, ./agree.py: {weight: 0.1}]",
        "[./agree.py: {weight: 0.1, more: 0.5}, cross_entropy: {weight: elbo}]",
        "[./smoothed.py: {share: 0.2}]",
        "[cross_entropy: {weight: elbo}, ./smoothed.py: {weight: 3}]",
        "[cross_entropy: {weight: 0.5}]",
        "[cross_entropy: {weight: {kind: ./warm_up.py, steps: 10}}]",
        "[cross_entropy: {weight: ./half.py}]",
        "[cross_entropy: {weight: ./rate_alone.py}]",
    ],
)
def test_the_bound_is_that_of_mdlm_to_the_bit(folder, losses):
    """Auxiliary losses, numbers, warm-ups, smoothing: the bound has its own terms."""
    plain, other = package(folder), package(folder, loss=losses)
    terms, model, _ = trained(other, step=3)
    right = bound(plain, model)
    assert torch.equal(bound(other, model), right)
    assert not torch.equal(-sum(terms.values()).detach(), right)


def test_the_bound_does_not_compute_an_auxiliary_loss(folder):
    """The control: the objective does."""
    made = package(folder, loss="[cross_entropy: {weight: elbo}, ./agree.py: {weight: 0.1}]")
    objective, _, own = source(made).partition("def log_likelihood_bound")
    assert ("agree(" in objective, "agree(" in own) == (True, False)
    assert "config.loss.agree.weight * agree(" in " ".join(objective.split())


def test_a_number_is_a_parameter_of_the_config(folder):
    made = package(folder, loss="[cross_entropy: {weight: elbo}, ./agree.py: {weight: 0.1}]")
    config = made.Config.small()
    assert config.loss.agree.weight == 0.1
    assert (
        type(
            package(folder, loss="[cross_entropy: {weight: 2}]")
            .Config.small()
            .loss.cross_entropy.weight
        )
        is float
    )
    terms, model, _ = trained(made)
    changed = config.__class__(
        vocab=config.vocab,
        backbone=config.backbone,
        loss=type(config.loss)(agree=type(config.loss.agree)(weight=0.3)),
    )
    again = made.objective(model, examples(made), changed, torch.Generator().manual_seed(2))
    torch.testing.assert_close(again["agree"], 3 * terms["agree"])
    assert torch.equal(again["cross_entropy"], terms["cross_entropy"])


def test_a_warm_up_reads_the_training_step(folder):
    made = package(folder, loss="[cross_entropy: {weight: {kind: ./warm_up.py, steps: 10}}]")
    late, *_ = trained(made, step=10)
    outside, *_ = trained(made)
    for step, share in ((0, 0.0), (5, 0.5), (20, 1.0)):
        terms, *_ = trained(made, step=step)
        torch.testing.assert_close(terms["cross_entropy"], share * late["cross_entropy"])
    assert torch.equal(outside["cross_entropy"], late["cross_entropy"])


def test_a_curriculum_reads_the_training_step(folder):
    made = package(folder, noise="{process: mask, time: {kind: ./curriculum.py, steps: 100}}")
    assert not hasattr(made, "log_likelihood_bound")
    trained(made, step=1)
    draw = __import__(f"{made.__name__}.noise", fromlist=["sample_time"]).sample_time
    for step, largest in ((0, 0.2), (50, 0.6), (100, 1.0), (None, 1.0)):
        x = examples(made, step)
        x = x._replace(tokens=x.tokens.repeat(200, 1))
        t = draw(x, torch.Generator().manual_seed(0), edge=1e-5, steps=100)
        assert largest - 0.02 < float(t.max()) < largest


def test_a_process_that_draws_the_positions_has_its_own_elbo_weight(folder):
    made = package(folder, noise="{process: {kind: ./drawing_mask.py, least: 1.1920929e-07}}")
    assert "select_tokens" not in source(made)
    _, model, _ = trained(made)
    assert torch.equal(bound(made, model), bound(package(folder), model))
    other = package(folder, noise="{process: ./drawing_mask.py}", loss="[cross_entropy]")
    assert "weight = unmasking_rate(" in source(other).partition("def log_likelihood_bound")[2]
    clipped = "[cross_entropy: {weight: elbo_clipped}]"
    assert "rate = unmasking_rate(" in source(
        package(folder, noise="{process: ./drawing_mask.py}", loss=clipped)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "losses",
    [
        "[./smoothed.py: {weight: 0.5}]",
        "[cross_entropy: {weight: 0.5}]",
        "[cross_entropy: {weight: elbo}, ./smoothed.py]",
    ],
)
def test_the_laws_of_the_bound_hold(folder, losses):
    file = folder / "spec.yaml"
    file.write_text(text(loss=losses))
    results = {r.law: r.status for r in verify(str(file)).results}
    assert results["the bound equals the entropy at its minimiser"] == "held"
    assert results["training samples average to the enumerated value"] == "held"
    assert not {"failed", "silent"} & {*results.values()}


def test_an_exact_likelihood_leaves_auxiliary_losses_and_weights_out(folder):
    plain = package(folder, PLAIN)
    aux = "[cross_entropy: {weight: 2.0}, ./repeated.py: {weight: 0.1}]"
    file = (FAMILIES / "weights" / "smoothed.py").read_text().replace("smoothed", "repeated")
    (folder / "repeated.py").write_text(
        file.replace('ELBO_LOSS = "cross_entropy"', "AUXILIARY = True")
    )
    made = package(folder, PLAIN, loss=aux)
    assert made.EXACT
    _, model, _ = trained(made)
    assert torch.equal(bound(made, model), bound(plain, model))


def test_a_method_of_auxiliary_losses_alone_has_no_bound(folder):
    assert not hasattr(package(folder, loss="./agree.py"), "log_likelihood_bound")


def test_an_elbo_weight_of_one_needs_no_function(folder):
    """`weight: elbo` and no weight give one objective, which is the bound."""
    process = (FAMILIES / "weights" / "drawing_mask.py").read_text()
    process = process.replace('"unmasking_rate"', '"one"')
    (folder / "plain_mask.py").write_text(process)
    noise = "{process: ./plain_mask.py}"
    made = [
        package(folder, noise=noise, loss=f"[cross_entropy{w}]") for w in ("", ": {weight: elbo}")
    ]
    objectives = [source(m).replace(m.__name__, "") for m in made]
    assert objectives[0] == objectives[1]
    assert "weight" not in objectives[0]
    assert 'return -objective(model, x, config, rng)["cross_entropy"]' in objectives[0]
    own = source(package(folder, noise=noise, loss="[cross_entropy: {weight: 0.5}]"))
    assert "weight" not in own.partition("def log_likelihood_bound")[2]


def test_two_targets_of_one_type(folder):
    """A loss names its target; listed twice, its terms have the names of both."""
    target = "[masked_tokens, ./clean_neighbours.py]"
    losses = (
        "[cross_entropy: {weight: elbo, of: masked_tokens},"
        " cross_entropy: {weight: 0.1, of: clean_neighbours}]"
    )
    made = package(folder, target=target, loss=losses)
    terms, _, config = trained(made)
    assert {*terms} == {"cross_entropy_masked_tokens", "cross_entropy_clean_neighbours"}
    assert config.loss.cross_entropy_clean_neighbours.weight == 0.1
    alone, *_ = trained(package(folder))
    assert torch.equal(terms["cross_entropy_masked_tokens"], alone["cross_entropy"])
    named = losses.replace("cross_entropy: {weight: 0.1", "./smoothed.py: {weight: 0.1")
    terms, *_ = trained(package(folder, target=target, loss=named))
    assert {*terms} == {"cross_entropy", "smoothed"}


def test_long_terms_are_in_the_format_of_ruff(folder):
    losses = (
        "[cross_entropy: {weight: 0.5, of: masked_tokens},"
        " cross_entropy: {weight: 0.1, of: clean_neighbours},"
        " ./agree.py: {weight: 0.1, of: masked_tokens}]"
    )
    made = package(folder, target="[masked_tokens, ./clean_neighbours.py]", loss=losses)
    for module in ("objective", "config"):
        file = ROOT / made.__path__[0] / f"{module}.py"
        lines = file.read_text().splitlines()
        assert max(len(line) for line in lines) <= 100, module
        command = [sys.executable, "-m", "ruff", "format", "--line-length=100", "--diff", str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_auxiliary_loss_on_a_second_target_leaves_the_bound(folder):
    file = (FAMILIES / "weights" / "smoothed.py").read_text().replace("smoothed", "repeated")
    (folder / "repeated.py").write_text(
        file.replace('ELBO_LOSS = "cross_entropy"', "AUXILIARY = True")
    )
    target = "[masked_tokens, ./clean_neighbours.py]"
    losses = (
        "[./repeated.py: {weight: 0.1, of: clean_neighbours},"
        " cross_entropy: {weight: elbo, of: masked_tokens}]"
    )
    made = package(folder, target=target, loss=losses)
    _, model, _ = trained(made)
    assert torch.equal(bound(made, model), bound(package(folder), model))
    own = source(made).partition("def log_likelihood_bound")[2]
    assert "clean_neighbours" not in own


def test_an_auxiliary_loss_is_no_matter_of_inconsistent_weights(folder):
    """The control claims to be a term of the bound."""
    file = folder / "spec.yaml"
    file.write_text(text(loss="[cross_entropy: {weight: elbo}, ./agree.py: {weight: 0.1}]"))
    assert warned(file) == []
    agree = folder / "agree.py"
    agree.write_text(agree.read_text().replace("AUXILIARY", "ELBO_TERM"))
    assert warned(file) == ["X352"]
    agree.write_text(agree.read_text().replace("ELBO_TERM", "ELBO_ALONE"))
    assert warned(file) == ["X352"]
    file.write_text(text(loss="[cross_entropy: {weight: elbo}, ./agree.py]"))
    assert warned(file) == []


def warned(file) -> list[str]:
    return [d.code for d in checked(file)[1]]


@pytest.mark.slow
def test_elbo_of_insertion_is_the_weight_per_count(folder):
    """The weight `elbo` is the function that the process declares."""
    inserted = {
        "noise": "{process: drop, count: uniform}",
        "target": "[gap_tokens, stop]",
        "loss": "[gap_cross_entropy: {weight: elbo}, stop_cross_entropy: {weight: elbo}]",
        "sampler": "insertion",
    }
    counted = {k: v.replace("elbo", "per_count") for k, v in inserted.items()}
    made, other = package(folder, inserted), package(folder, counted)
    assert source(made).replace(made.__name__, "") == source(other).replace(other.__name__, "")
    file = folder / "spec.yaml"
    file.write_text(text(inserted))
    assert statuses(file) <= {"held", "n/a", "warned"}
