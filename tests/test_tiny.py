"""The tour: one spec through every stage of the compiler, then one training step and one sample."""

import torch
from methods import ROOT

from xlm_spec.compiler.build import build
from xlm_spec.compiler.emit.lower import lower
from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose

SPEC = b"""
xlm_spec: 1
name: tiny
noise: {process: mask}              # a schedule and times are taken by default
target: masked_tokens
loss:
  - cross_entropy: {weight: elbo}
sampler: {kind: ancestral, steps: 4}
backbone: {kind: rotary, layers: 1, width: 16, heads: 2}
"""


def test_the_tour(tmp_path, monkeypatch):
    doc = parse(SPEC, "tiny.yaml")  # plain values, and where each stands
    assert doc.values["sampler"] == {"kind": "ancestral", "steps": 4}
    assert doc.spans["sampler", "steps"].line == 7

    spec = validate(doc)  # each choice with its component
    assert spec.process.component.title.startswith("Absorbing noise")
    assert spec.schedule is None

    method = compose(spec)  # defaults filled in, every argument traced to what provides it
    assert [line.name for line in method.objective] == ["t", "corrupted", "z", "hidden"]
    assert method.schedule.value == "linear"

    assert check(method) == []  # the components fit, the mathematics holds; no warnings

    plan = lower(method)  # what the package contains, as data
    assert plan.method["noise"]["schedule"] == {"kind": "linear", "eps": "0.0"}
    assert plan.inferred == {
        "attention": "bidirectional",
        "elbo_weights": {"cross_entropy": "elbo_weight"},
        "fill": "eos",
        "heads": ["token_logits"],
        "likelihood": "objective",
        "needs": ["eos", "mask"],
        "samplers": ["ancestral"],
        "time_conditioned": False,
    }

    objective = plan.objective
    assert [s.name for s in objective.body[:-1]] == [
        *("schedule", "vocab", "t", "corrupted", "z", "hidden", "target", "weight"),
    ]
    [term] = objective.body[-1].returns.values()
    assert str(term) == "(weight * cross_entropy(model, hidden, target)).sum(1)"

    files = render(plan)  # its lines, listed by the templates
    assert f'    return {{"cross_entropy": {term}}}\n' in files["tiny/objective.py"].decode()

    (tmp_path / "tiny.yaml").write_bytes(SPEC)
    done = build(tmp_path / "tiny.yaml", tmp_path)  # all of it, onto the disk
    assert {
        p.relative_to(done.folder).as_posix() for p in done.folder.rglob("*") if p.is_file()
    } == (set(files))

    monkeypatch.syspath_prepend(str(done.folder))
    import tiny  # pyright: ignore

    config = tiny.Config(vocab=tiny.Vocab(size=12, pad=8, bos=9, eos=10, mask=11))
    model = tiny.Model(config)
    tokens = torch.randint(0, 8, (4, 6))
    tokens[:, 0] = config.vocab.bos
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, 0] = True
    x = tiny.Examples(tokens, torch.ones_like(fixed), fixed)
    rng = torch.Generator().manual_seed(0)
    terms = tiny.objective(model, x, config, rng)
    assert terms["cross_entropy"].shape == (4,)
    terms["cross_entropy"].mean().backward()
    *_, last = tiny.sample(model, config, x, rng)
    assert not (last.tokens == config.vocab.mask).any()


def test_every_shipped_spec_is_a_page():
    for file in (ROOT / "specs").glob("*.yaml"):
        assert len(file.read_text().splitlines()) <= 40, file.name
