"""Packages for tests: a method in a few words, built into a folder and imported."""

import importlib
import itertools
import sys
from pathlib import Path

import torch

from xlm_spec.compiler.build import build
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.spec import Spec

ROOT = Path(__file__).parent.parent
numbers = itertools.count()

MASKED = {
    "noise": "{process: mask, schedule: linear}",
    "target": "masked_tokens",
    "loss": "[cross_entropy: {weight: elbo}]",
    "sampler": "{kind: ancestral, steps: 8}",
}
PLAIN = {
    "noise": "{process: none}",
    "target": "next_token",
    "loss": "cross_entropy",
    "sampler": "autoregressive",
}
INSERTED = {
    "noise": "{process: drop, count: uniform}",
    "target": "[gap_tokens, stop]",
    "loss": "[gap_cross_entropy: {weight: per_count}, stop_cross_entropy: {weight: per_count}]",
    "sampler": "{kind: insertion, stop: drawn}",
}
FLEXMDM = {
    "noise": "{process: drop_then_mask, drop_schedule: linear}",
    "target": "[masked_tokens, gap_counts]",
    "loss": "[cross_entropy: {weight: elbo}, count_divergence: {weight: elbo}]",
    "sampler": "{kind: tau_leaping, order: random}",
    "backbone": "rotary_timed",
}
GROWN = {
    "noise": "{process: independent_drop}",
    "target": "[gap_counts, gap_tokens]",
    "loss": "[count_divergence: {weight: elbo}, per_gap_cross_entropy: {weight: elbo}]",
    "sampler": "insertion_leaping",
    "backbone": "rotary_timed",
}
SHARED = {
    "noise": "{process: drop, count: uniform}",
    "target": "gap_shares",
    "loss": "share_cross_entropy",
    "sampler": "parallel_insertion",
}
WHOLE = {
    "noise": "{process: drop, count: uniform}",
    "target": "[gap_shares, stop]",
    "loss": "[tree_cross_entropy, stop_cross_entropy]",
    "sampler": "{kind: insertion, stop: drawn}",
}
EDITED = {
    "noise": "{process: {kind: edits, longest: 6}}",
    "target": "[gap_counts, gap_tokens, deletions, substitutions, substitutes]",
    "loss": "[count_divergence: {weight: elbo}, per_gap_cross_entropy: {weight: elbo},"
    " delete_divergence: {weight: elbo}, substitute_divergence: {weight: elbo},"
    " cross_entropy: {weight: elbo}]",
    "sampler": "edit_leaping",
    "backbone": "rotary_timed",
}
CLOCKED = {
    "noise": "{process: poisson_drop}",
    "target": "[poisson_count, gap_tokens]",
    "loss": "[count_divergence: {weight: elbo}, joint_cross_entropy: {weight: elbo}]",
    "sampler": "timed_insertion",
    "backbone": "rotary_timed",
}
ROUNDS = {
    "noise": "{process: drop, count: uniform, roll_in: [placeholders, model_fill]}",
    "target": "[placeholder_counts, masked_tokens, wrong_tokens]",
    "loss": "[placeholder_cross_entropy, cross_entropy, delete_cross_entropy]",
    "sampler": "edit_rounds",
}
REPLACED = {
    "noise": "{process: uniform}",
    "target": "clean_tokens",
    "loss": "interpolating_bound",
    "sampler": "uniform_posterior",
    "backbone": "rotary_timed",
}
MIXED = REPLACED | {
    "noise": "{process: mixture, schedule: hybrid}",
    "sampler": "mixture_posterior",
}
STEPPED = MIXED | {
    "noise": "{process: mixture, schedule: stationary, time: discrete}",
    "loss": "posterior_kl",
}


def text(base: dict[str, str] = MASKED, name: str = "method", **changes: str) -> str:
    """A spec: the parts of `base`, some of them changed."""
    parts = base | changes
    parts = parts | {"backbone": parts.get("backbone", "rotary")}
    lines = [f"{k}: {v}" for k, v in parts.items()]
    return "\n".join(["xlm_spec: 1", f"name: {name}", *lines]) + "\n"


def checked(spec: str, file: Path | str = "<spec>") -> Spec:
    """A spec that passed every check; `file`: its place. Raises Failed."""
    found = validate(parse(spec.encode(), str(file)))
    check(compose(found))
    return found


def package(folder: Path, base: dict[str, str] = MASKED, **changes: str):
    """Builds a method and imports it under a name of its own."""
    name = f"method_{next(numbers)}"
    file = folder / f"{name}.yaml"
    file.write_text(text(base, name, **changes))
    done = build(file, folder)
    sys.path.insert(0, str(done.folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(done.folder))


def steps_and_samples(method) -> None:
    """A step of training and a sample of a tiny network, with finite numbers."""
    config = method.Config.small()
    torch.manual_seed(0)
    model = method.Model(config)
    tokens = torch.randint(0, 8, (4, 7))
    tokens[:, 0] = config.vocab.bos
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, :2] = True
    x = method.Examples(tokens, torch.ones_like(fixed), fixed)
    rng = torch.Generator().manual_seed(0)
    loss = sum(method.objective(model, x, config, rng).values())
    assert loss.shape == (4,)
    loss.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    *_, last = method.sample(model.eval(), config, x, rng)
    assert torch.equal(last.tokens[:, :2], tokens[:, :2])  # a state can be longer
    written = last.tokens[:, 2:][last.valid[:, 2:]]
    assert not torch.isin(written, torch.tensor(config.vocab.special)).any()
    if hasattr(method, "log_likelihood_bound"):
        assert method.log_likelihood_bound(model, x, config, rng).isfinite().all()
