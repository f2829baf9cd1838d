"""Noise that replaces tokens: correct methods hold every law, wrong ones break the one that names
the slip. Their exact models are built from the likelihood of the process."""

import json
from pathlib import Path

import mutants
import pytest
import torch
from code_blocks import blocks
from methods import REPLACED, ROOT, package
from scheduling import shares
from wrong_substitution import ALL, ENTROPY, MINIMISER, SPECS

from xlm_spec import laws
from xlm_spec.compiler.build import build
from xlm_spec.laws.package import ANSWERS
from xlm_spec.workbench import verify

pytestmark = pytest.mark.slow


def built(spec: str, into: Path) -> Path:
    file = into / "method.yaml"
    file.write_text(SPECS[spec])
    return build(file, into / "out").folder


def statuses(folder: Path, *names: str) -> dict[str, set[str]]:
    """The statuses of these laws, or of all."""
    selected = [law for law in laws.LAWS if not names or law.name in names]
    assert len(selected) >= len(names)
    found: dict[str, set[str]] = {}
    for result in laws.verify_package(folder, selected):
        found.setdefault(result.law, set()).add(result.status)
    return found


@pytest.mark.parametrize("spec", SPECS)
def test_correct_noise_holds_the_laws_that_wrong_noise_breaks(spec, tmp_path, request):
    """With `--full` every law, as the packages of these specs in generated/ do."""
    named = {w.law for w in ALL} | {MINIMISER}
    only = [] if request.config.getoption("--full") else sorted(named)
    found = verify(str(built(spec, tmp_path)), only=only)
    assert found.sound, found.text(quiet=True)
    assert {r.law for r in found.results if r.status == "held"} >= named


ROOT_OF_TIME = {  # the same path at tau = t: its rates at t = 0 are infinite
    "torch.sin(math.pi / 2 * t)": "torch.sqrt(t)",
    "torch.sin(math.pi / 2 * (1 - t))": "torch.sqrt(1 - t)",
    "-math.pi / 2 * v * (2 * u": "-1 / (2 * u) * (2 * u",
    "-math.pi / 2 * self.k / both": "-self.k / (2 * self.u(t) * self.v(t)) / both",
}


def test_the_ends_that_training_leaves_out_have_no_visible_share_of_the_bound(tmp_path):
    """With most random tokens and the largest edge."""
    law = "training samples average to the enumerated value"
    numbers = "uniform: 0.5}, time: {kind: iid, edge: 0.001}}"
    (tmp_path / "method.yaml").write_text(SPECS["mixture"].replace("uniform: 0.2}}", numbers))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    assert statuses(folder, law)[law] == {"held"}
    file = folder / "method" / "noise.py"
    source = file.read_text()
    for old, new in ROOT_OF_TIME.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    file.write_text(source)
    assert "failed" in statuses(folder, law)[law]


@pytest.mark.parametrize("wrong", shares(ALL, 2), ids=lambda w: w.name)
def test_wrong_noise_breaks_its_law(wrong, tmp_path):
    folder = built(wrong.spec, tmp_path)
    file = folder / "method" / f"{wrong.file}.py"
    source = file.read_text()
    assert source.count(wrong.old) == 1
    file.write_text(source.replace(wrong.old, wrong.new))
    assert "failed" in statuses(folder, wrong.law)[wrong.law]


@pytest.mark.parametrize("spec", SPECS)
def test_the_wrong_minimiser_is_detected(spec, tmp_path):
    """The loss says that its predictions see the token at their position."""
    folder = built(spec, tmp_path)
    file = folder / ANSWERS
    head, _, text = file.read_text().partition("\n")
    answers = json.loads(text)
    assert answers["ir"]["minimisers"] == {"interpolating_bound": "leave_one_out"}
    answers["ir"]["minimisers"] = {"interpolating_bound": "posterior"}
    file.write_text(f"{head}\n{json.dumps(answers)}")
    assert statuses(folder, ENTROPY, MINIMISER) == {ENTROPY: {"failed"}, MINIMISER: {"failed"}}


def test_alpha_can_be_zero_in_float64(tmp_path):
    """Near t = 1 it is exp(-1000) here: dalpha / alpha must not be 0 / 0."""
    geometric = "{kind: geometric, smallest: 0.5, largest: 1000}"
    method = package(tmp_path, REPLACED, noise=f"{{process: uniform, schedule: {geometric}}}")
    config = method.Config.small()
    torch.manual_seed(0)
    model = method.Model(config)
    tokens = torch.randint(0, 8, (256, 5))
    x = method.Examples(tokens, torch.ones_like(tokens) > 0, torch.zeros_like(tokens) > 0)
    loss = sum(method.objective(model, x, config, torch.Generator().manual_seed(0)).values())
    assert loss.isfinite().all()
    loss.mean().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_a_custom_process_that_states_its_likelihood_needs_no_law_file(tmp_path):
    """The process of the guide, which draws; the control draws other tokens than it states."""
    process, target, sampler = blocks(GUIDE, "python")[:3]
    (tmp_path / "uniform.yaml").write_text(blocks(GUIDE, "yaml")[0])
    (tmp_path / "original_tokens.py").write_text(target)
    (tmp_path / "posterior.py").write_text(sampler)
    for source, status in (
        (process, {"held"}),
        (process.replace("like.device)[at]", "like.device)[at // 2]"), {"failed"}),
    ):
        (tmp_path / "replace.py").write_text(source)
        found = verify(str(tmp_path / "uniform.yaml"))
        follow = "corrupted sequences follow their likelihood"
        assert {r.status for r in found.results if r.law == follow} == status
        assert not any("process replace" in r.why for r in found.results)


GUIDE = (ROOT / "docs" / "guides" / "add-a-noise-process.md").read_text()


KEEPS = "correctors keep the distribution of corrupted sequences"


@pytest.mark.parametrize(("factor", "status"), [("alpha[row] *", "held"), ("1.0 *", "failed")])
def test_a_corrector_of_noise_that_replaces_tokens(factor, status, tmp_path):
    """By the likelihood that the process states. The control: x_0 in place of x_s."""
    (tmp_path / "method.yaml").write_text(mutants.SPECS["redrawn"])
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    file = folder / "method" / "sampler.py"
    source = file.read_text()
    assert source.count("alpha[row] * logits") == 1
    file.write_text(source.replace("alpha[row] * logits", f"{factor} logits"))
    assert statuses(folder, KEEPS) == {KEEPS: {status}}
