"""`train.gradient_checkpointing`: equal gradients, less memory."""

import copy
from dataclasses import replace

import pytest
import torch
from methods import ROOT
from package_runs import TINY, package_of, run, weights

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.machine.memory import peak_of
from xlm_spec.runtime.training.recompute import blocks_of, recompute_blocks

CPU = torch.device("cpu")


def setting(name, **backbone):
    """A package, its model with dropout, and a step of training."""
    package = package_of(name)
    config = package.Config.small()
    config = replace(config, backbone=replace(config.backbone, dropout=0.1, **backbone))
    tokens = torch.arange(16 * 64).view(16, 64) % 5
    fixed = (torch.arange(64) == 0).expand(16, -1)
    x = package.Examples(tokens, torch.ones_like(fixed), fixed)

    def step(model):
        torch.manual_seed(1)  # of dropout
        rng = torch.Generator().manual_seed(2)
        sum(package.objective(model.train(), x, config, rng).values()).mean().backward()

    torch.manual_seed(0)
    return package.Model(config), step


@pytest.mark.parametrize("name", ["mdlm", "udlm", "mdlm_dit", "arlm"])  # all shipped backbones
def test_gradients_are_equal(name):
    model, step = setting(name, layers=2)
    twin = copy.deepcopy(model)
    recompute_blocks(twin)
    assert len(blocks_of(twin)) == 2
    assert [*twin.state_dict()] == [*model.state_dict()]
    again = copy.deepcopy(twin)  # as averaged weights are
    for m in (model, twin, again):
        step(m)
    for p, q, r in zip(model.parameters(), twin.parameters(), again.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad)
        assert torch.equal(p.grad, r.grad)


def test_it_needs_less_memory():
    """Eight blocks: measured 0.36 of the peak (tolerance 0.6)."""
    model, step = setting("mdlm", layers=8)
    step(model)  # allocates the gradients
    plain = peak_of(lambda: step(model), CPU)
    recompute_blocks(model)
    assert peak_of(lambda: step(model), CPU) < 0.6 * plain


def test_the_peak_of_tensors():
    def step():
        a = torch.zeros(1000, 250)  # 1 MB
        b = a + 1
        del a
        return b + 1, b + 2

    assert peak_of(step, CPU) == pytest.approx(3e6, rel=1e-3)


def test_a_backbone_without_blocks():
    with pytest.raises(Failed) as e:
        recompute_blocks(torch.nn.Sequential(torch.nn.Linear(2, 2)))
    assert e.value.diagnostics[0].code == "X602"


@pytest.mark.slow
def test_a_run_has_the_same_weights(tmp_path):
    task = ROOT / "tests" / "tiny_task.py"
    words = ["--task", task, *TINY[2:], "--steps", 3, "--set", "train.sample_examples=0"]
    words += ["--set", "train.batch=8", "--set", "backbone.dropout=0.1"]
    for name, value in (("plain", "false"), ("less", "true")):
        more = ["--set", f"train.gradient_checkpointing={value}", "--run", tmp_path / name]
        run("mdlm", "train", *words, *more)
    assert weights(tmp_path / "plain") == weights(tmp_path / "less")
