"""What CUDA computes is what the CPU computes. Skipped where there is no CUDA device."""

import json

import pytest
import torch
from methods import ROOT
from package_runs import TINY, lines, package_of, run

pytestmark = [pytest.mark.gpu, pytest.mark.slow]
PACKAGES = sorted(p.name for p in (ROOT / "generated").iterdir())
TWO_STEPS = [*TINY, "--set", "train.log_every=1", "--steps", "2"]


def trained(name, folder, *words):
    """A run of two steps, on CUDA."""
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run(name, "train", *TWO_STEPS, *words, "--run", folder)
    assert torch.cuda.max_memory_allocated() > before
    return folder


def evaluated(name, folder):
    return json.loads(run(name, "eval", "--run", folder, "--split", "val", "--json").stdout)


def losses(folder):
    return [line["loss"] for line in lines(folder) if line["split"] == "train"]


@pytest.mark.parametrize("name", PACKAGES)
def test_two_steps_on_cuda_and_eval_agrees_with_the_cpu(name, place, monkeypatch):
    """Devices draw different noise. On the CPU the loss of mdlm spreads by 2 % over seeds."""
    folder = trained(name, place / f"{name}-cuda")
    cuda = evaluated(name, folder)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cpu = evaluated(name, folder)
    assert cuda["loss"] == pytest.approx(cpu["loss"], rel=1e-4 if name == "arlm" else 0.15)
    assert (cuda["examples"], cuda["sampler"]) == (cpu["examples"], cpu["sampler"])


@pytest.mark.parametrize("name", PACKAGES)
def test_hidden_states_agree_with_the_cpu(name):
    package = package_of(name)
    torch.manual_seed(0)
    config = package.Config.small()
    model = package.Model(config).eval()
    tokens = torch.randint(0, 8, (4, 9))
    valid = torch.arange(9) < torch.tensor([[9], [7], [4], [1]])
    given = (tokens, valid, torch.full((4, 1), 0.5))
    with torch.no_grad():
        cpu = model(*given)
        cuda = model.cuda()(*(x.cuda() for x in given)).cpu()
    assert torch.allclose(cpu[valid], cuda[valid], atol=1e-4)
    assert not torch.allclose(cpu[valid], cuda.roll(1, 0)[valid], atol=1e-2)


def test_bf16_trains_as_float32_does(place):
    """The same weights and noise: losses differ by rounding, and do differ."""
    whole = losses(trained("mdlm", place / "mdlm-cuda-32"))
    half = losses(trained("mdlm", place / "mdlm-cuda-16", "--set", "train.precision=bf16-mixed"))
    assert half != whole
    assert half == pytest.approx(whole, rel=2e-2)
