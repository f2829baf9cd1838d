"""Families that no shipped spec has: each is a spec with components beside it.

Every one checks, builds, trains a step, samples, and builds again from its package alone.
"""

import re
import shutil

import pytest
import torch
from family_files import family_specs
from family_packages import (
    canvas,
    family_packages,
    folder_of,
    lines,
    model_of,
    modules,
    part,
    sampled,
)
from methods import MASKED, package, steps_and_samples
from scheduling import shares

from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import COMPONENTS
from xlm_spec.compiler.plan import checked
from xlm_spec.runtime.evaluation.scoring import CallCounter
from xlm_spec.workbench.laws import verify

SPECS = family_specs()
FAMILIES = [*SPECS]
MEANT = {"cmlm": ["X352"]}  # warnings: it weights masked tokens alike, as the paper does
HEADS = {  # all heads of the model
    "bd3lm": {"token_logits"},
    "cmlm": {"length_logits", "token_logits"},
    "flexible": {"missing_count", "token_logits"},
    "gaussian": {"clean_latent", "embedding"},
    "levenshtein": {"wrong_logit", "missing_count", "token_logits"},
    "sigma_gpt": {"token_logits"},
}
SHARED = {  # types that several files of a package use
    "cmlm": {"Length", "Sized"},
    "flexible": {"MissingCounts"},
    "gaussian": {"LatentState"},
    "levenshtein": {"Flags"},
    "sigma_gpt": {"OrderedState", "Turn"},
}
UNPROVED = {  # claims that no law proves yet; of other claims there is a proof
    "bd3lm": ["bound"],
    "cmlm": ["bound"],
    "sigma_gpt": ["exact sampler any_order"],
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Each family as a package."""
    return family_packages(tmp_path_factory.mktemp("families"), FAMILIES)


# ---- every family --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_it_checks(name):
    spec = SPECS[name]
    assert [d.code for d in checked(spec)[1]] == MEANT.get(name, [])
    assert len(spec.read_text().splitlines()) <= 25


@pytest.mark.parametrize("name", FAMILIES)
def test_it_trains_and_samples(name, packages):
    steps_and_samples(packages[name])


@pytest.mark.parametrize("name", HEADS)
def test_its_heads_are_in_the_model(name, packages):
    model, _ = model_of(packages[name])
    assert {n for n, _ in model.named_children()} - {"backbone"} == HEADS[name]


@pytest.mark.parametrize("name", HEADS)
def test_its_backbone_has_no_heads(name):
    """A backbone of its own reads further wires; each of its methods is a forward pass."""
    for file in SPECS[name].parent.glob("*.py"):
        if "class Backbone" in (text := file.read_text()):
            assert "model." not in text
            assert "nn.Linear(width, 1)" not in text


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_type_is_defined_once(name, packages):
    files = modules(packages[name])
    for shared in SHARED[name]:
        assert [f for f, text in files.items() if f"class {shared}(" in text] == ["types.py"]
        named = re.compile(rf"(: |-> |\[){shared}\b")
        users = [f for f, text in files.items() if named.search(text) and f != "types.py"]
        assert users
        for user in users:
            module = part(packages[name], user.removesuffix(".py"))
            assert getattr(module, shared) is getattr(part(packages[name], "types"), shared)


@pytest.mark.parametrize("name", FAMILIES)
def test_it_builds_again_from_its_package_alone(name, packages, tmp_path):
    """The files of its components are beside the spec of the package."""
    folder = shutil.copytree(folder_of(packages[name]).parent, tmp_path / name)
    for file in SPECS[name].parent.glob("*.py"):
        copied = folder / ("tests" if file.stem.endswith("_law") else ".") / file.name
        assert copied.read_text() == file.read_text()
    before = {f: f.read_text() for f in (folder / name).glob("*.py")}
    built = build(folder / "spec.yaml")
    assert [d.code for d in built.warnings] == MEANT.get(name, [])
    assert {f: f.read_text() for f in (folder / name).glob("*.py")} == before


# ---- CMLM ----------------------------------------------------------------------------------------


def test_cmlm_draws_the_likeliest_length_first(packages):
    """As many free positions as the head says, before any token is predicted."""
    cmlm = packages["cmlm"]
    model, config = model_of(cmlm)
    for length in (0, 3, 6):
        with torch.no_grad():
            model.length_logits.linear.weight.zero_()
            model.length_logits.linear.bias.zero_()[length] = 1.0
        states = sampled(cmlm, model, canvas(cmlm))
        assert [int(s.valid.sum(1).unique()) for s in states[1:]] == [1 + length] * 4
        assert (states[-1].tokens != config.vocab.mask)[states[-1].valid].all()


def test_cmlm_has_a_bound_with_the_likelihood_of_the_length(packages):
    bound = "\n".join(lines(packages["cmlm"], "log_likelihood_bound"))
    assert "length_cross_entropy(model, target_2, x)" in bound
    assert (
        "weight = elbo_weight(x, corrupted, min_corrupted=config.noise.count.min_corrupted)"
        in bound
    )
    assert "elbo_weight" not in "\n".join(lines(packages["cmlm"]))  # the objective of the paper


# ---- FlexMDM, as in the guide --------------------------------------------------------------------


def test_flexmdm_has_two_clocks(packages):
    flexible = packages["flexible"]
    found = lines(flexible)
    assert "weight_2 = insertion_rate(t, drop_schedule)  # (B, 1)" in found
    assert "weight = unmasking_rate(t, schedule)  # (B, 1)" in found
    config = flexible.Config.small()
    assert type(config.noise.schedule).__name__ == "LinearSchedule"
    assert config.noise.drop_schedule.power == 2.0


def test_the_bound_of_flexmdm_is_its_objective(packages):
    """Each of the two terms has its ELBO weight."""
    flexible = packages["flexible"]
    model, config = model_of(flexible)
    x = canvas(flexible)._replace(tokens=torch.arange(27).view(3, 9) % 8)
    with torch.no_grad():
        terms, bound = (
            f(model, x, config, torch.Generator().manual_seed(3))
            for f in (flexible.objective, flexible.log_likelihood_bound)
        )
    assert {*terms} == {"cross_entropy", "number_divergence"}
    assert torch.equal(bound, -sum(terms.values()))


def test_the_clock_of_drops_decides_how_many_tokens_are_missing(packages):
    """P(dropped) = t^2 with the power 2 of the spec; a token is masked or dropped with P >= t."""
    flexible = packages["flexible"]
    config = flexible.Config.small()
    tokens = torch.zeros(200, 200, dtype=torch.long)
    x = flexible.Examples(tokens, tokens == 0, tokens > 0)
    t, rng = torch.full((200, 1), 0.5), torch.Generator().manual_seed(0)
    schedules = config.noise.schedule, config.noise.drop_schedule
    z = part(flexible, "noise").corrupt(x, t, *schedules, config.vocab, rng)
    assert abs(z.dropped.float().mean() - 0.25) < 0.015  # 6 standard errors


@pytest.mark.parametrize(("name", "steps"), [("flexible", 8)])
def test_heads_are_not_function_evaluations(name, steps, packages):
    """As many evaluations as steps, though each step calls two heads, or three."""
    made = packages[name]
    model, config = model_of(made)
    assert config.sampler.steps == steps
    counter = CallCounter(model)
    states = sampled(made, counter, canvas(made))
    assert len(states) == 1 + steps
    assert (counter.calls, counter.rows) == (steps, 3 * steps)


def test_a_copied_timed_backbone_starts_as_the_shipped_one(tmp_path):
    """Without a line that sets anything to zero: the time has no effect at initialization."""
    source = (COMPONENTS / "backbone" / "rotary_timed.py").read_text()
    assert "zeros_" not in source
    (tmp_path / "copied.py").write_text(source)
    (tmp_path / "plain.py").write_text(source.replace("        self.apply(initialize)\n", ""))

    def hidden(backbone: str, t: float):
        made = package(tmp_path, MASKED, backbone=backbone)
        model, config = model_of(made)
        tokens = torch.arange(8)[None] % config.vocab.size
        return model(tokens, torch.ones_like(tokens, dtype=torch.bool), torch.full((1, 1), t))

    shipped = hidden("rotary_timed", 0.2)
    assert torch.equal(hidden("./copied.py", 0.2), shipped)
    assert torch.equal(hidden("./copied.py", 0.9), shipped)
    assert torch.equal(hidden("./plain.py", 0.9), hidden("./plain.py", 0.1))


# ---- laws (they import the packages again) -------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", shares([*FAMILIES], 2))
def test_no_law_fails(name, packages):
    """Claims without a proof are reported as unproved; none is refuted."""
    report = verify(str(folder_of(packages[name]).parent))
    wrong = [r.line() for r in report.results if r.status in ("failed", "silent", "error")]
    assert wrong == []
    assert {c.verdict for c in report.claims} <= {"proved", "unproved"}
    assert [c.claim for c in report.claims if c.verdict == "unproved"] == UNPROVED.get(name, [])
