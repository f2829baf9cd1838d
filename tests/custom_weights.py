"""The custom weights and losses of `tests/families/weights`, and steps of training with them."""

import shutil

import torch
from methods import ROOT

FAMILIES = ROOT / "tests" / "families"


def copy_of_weights(folder):
    """Copies them into a folder, where a spec can name them."""
    for file in (FAMILIES / "weights").glob("*.py"):
        shutil.copy(file, folder)
    return folder


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


def source(method, module="objective"):
    return (ROOT / method.__path__[0] / f"{module}.py").read_text()
