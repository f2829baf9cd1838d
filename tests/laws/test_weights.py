"""Weights that are numbers, functions or schedules of the step, and what they do to the bound.

Each package trains a step with finite gradients. A bound is compared with that of MDLM under the
same draws, to the bit, or with the entropy of an enumerated distribution.
"""

import itertools
import shutil
import subprocess
import sys

import pytest
import torch
from methods import PLAIN, REPLACED, ROOT, package, text
from shipped_components import shipped

from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.diagnostics import Failed
from xlm_spec.laws.toy_distribution import quadrature
from xlm_spec.workbench import verify

FAMILIES = ROOT / "tests" / "families"


@pytest.fixture
def folder(tmp_path):
    """A folder with custom weights and losses."""
    for file in (FAMILIES / "weights").glob("*.py"):
        shutil.copy(file, tmp_path)
    return tmp_path


def examples(method, step=None):
    tokens = torch.randint(0, 8, (6, 9), generator=torch.Generator().manual_seed(1))
    tokens[:, 0] = method.Config.small().vocab.bos
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, :2] = True
    return method.Examples(tokens, torch.ones_like(fixed), fixed, step=step)


def trained(method, step=None, **changes):
    """The terms of a training step, the model and its inputs; all gradients are finite."""
    config = method.Config.small()
    torch.manual_seed(0)
    model = method.Model(config)
    x = examples(method, step)
    terms = method.objective(model, x, config, torch.Generator().manual_seed(2))
    assert all(t.shape == (6,) for t in terms.values())
    sum(terms.values()).mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    return terms, model, config


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


def source(method, module="objective"):
    return (ROOT / method.__path__[0] / f"{module}.py").read_text()


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


# ---- a custom loss that is a bound ---------------------------------------------------------------


def uniform(folder, old: str = "", new: str = ""):
    """Uniform noise and its bound as custom files; in the bound some text is another."""
    noise = shipped("process", "uniform", "uniform_noise")
    bound = shipped("loss", "interpolating_bound", "uniform_bound")
    assert old in bound
    (folder / "uniform_noise.py").write_text(noise)
    (folder / "uniform_bound.py").write_text(bound.replace(old, new, 1))
    noise, loss = "{process: ./uniform_noise.py}", "./uniform_bound.py"
    return package(folder, REPLACED, noise=noise, loss=loss)


WORDS, TOKENS = 3, 2  # of the enumerated distribution


class LeaveOneOut:
    """The minimiser of the bound of uniform noise: p(x_i | all of x_t but position i)."""

    def __init__(self, p: torch.Tensor, blur: float):
        self.p, self.blur = p, blur

    def __call__(self, tokens, valid, t):
        alpha = 1 - t[:, 0, None, None]  # the linear schedule
        q = alpha * torch.eye(WORDS, dtype=torch.float64) + (1 - alpha) / WORDS  # (B, x, z)
        seen = [q[torch.arange(len(tokens)), :, tokens[:, i]] for i in (1, 2)]  # (B, x)
        first, second = seen[1] @ self.p.T, seen[0] @ self.p
        hidden = torch.full((len(tokens), 3, WORDS + 2), -torch.inf, dtype=torch.float64)
        for i, found in ((1, first), (2, second)):
            hidden[:, i, :WORDS] = (found / found.sum(-1, keepdim=True)).log()
        hidden[:, 1, 0] += self.blur
        return hidden

    def token_logits(self, hidden):
        return hidden


def excess(made, monkeypatch, blur: float) -> float:
    """Minus the bound, over all sequences of two tokens, noise and times; minus the entropy."""
    part = __import__(f"{made.__name__}.objective", fromlist=["objective"])
    corrupt = part.corrupt
    p = torch.tensor([[0.3, 0.1, 0.05], [0.02, 0.2, 0.08], [0.1, 0.05, 0.1]], dtype=torch.float64)
    config = made.Config(vocab=made.Vocab(size=WORDS + 2, pad=WORDS, bos=WORDS + 1))
    pairs = [*itertools.product(range(WORDS), repeat=TOKENS)]
    both = [(x, z) for x in pairs for z in pairs]
    x, z = (torch.tensor([[WORDS + 1, *pair[k]] for pair in both]) for k in (0, 1))
    fixed = torch.zeros_like(x, dtype=torch.bool)
    fixed[:, 0] = True
    total = 0.0
    for t, weight in zip(*(a.tolist() for a in quadrature(64)), strict=True):
        time = torch.full((len(x), 1), t, dtype=torch.float64)
        monkeypatch.setattr(part, "sample_time", lambda *_, at=time, **__: at)
        monkeypatch.setattr(part, "corrupt", lambda *a: corrupt(*a)._replace(tokens=z))
        rows = made.Examples(x, torch.ones_like(fixed), fixed)
        found = made.log_likelihood_bound(LeaveOneOut(p, blur), rows, config, torch.Generator())
        q = (1 - t) * torch.eye(WORDS, dtype=torch.float64) + t / WORDS
        chance = p[x[:, 1], x[:, 2]] * q[x[:, 1], z[:, 1]] * q[x[:, 2], z[:, 2]]
        total -= weight * float((chance * found.double()).sum())
    return total + float(torch.xlogy(p, p).sum())


def test_the_bound_of_a_custom_loss_is_the_entropy_at_its_minimiser(folder, monkeypatch):
    """A loss that is a term by itself. The controls: other models, and a wrong rate."""
    made = uniform(folder)
    trained(made)
    assert "weight" not in source(made)
    assert abs(excess(made, monkeypatch, 0.0)) < 1e-4
    assert excess(made, monkeypatch, 0.3) > 3e-3
    wrong = uniform(folder, "dmass - dalpha /", "dmass - 0.8 * dalpha /")
    assert abs(excess(wrong, monkeypatch, 0.0)) > 0.05


# ---- what is wrong -------------------------------------------------------------------------------

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
