"""Wraps and correctors: they compose, each call of the model counts, and wrong files are errors."""

from itertools import pairwise

import pytest
import torch
from methods import MASKED, package, text

from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.overrides import flat, overridden
from xlm_spec.runtime.evaluation.scoring import CallCounter

GUIDED = '''"""Classifier-free guidance: away from the predictions without the prompt."""

import torch
from torch import Tensor

from ..types import Examples, Vocab

EXACT_AT = {"scale": 1.0}


class Guided:
    """log p = (1 - scale) log p(without the prompt) + scale log p(with it)."""

    def __init__(
        self,
        model,
        x: Examples,
        vocab: Vocab,
        *,
        scale: float = 1.5,  # 1: no guidance; in [0, inf)
    ):
        self.model, self.scale, self.mask = model, scale, vocab.mask
        self.prompt = x.fixed.all(0) & (x.tokens != vocab.bos).any(0)  # of all sequences

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        """The hidden states with the prompt and without it, (B, L, 2 D)."""
        blind = tokens.masked_fill(self.prompt, self.mask)
        return torch.cat([self.model(tokens, valid, t), self.model(blind, valid, t)], -1)

    def token_logits(self, hidden: Tensor) -> Tensor:
        given, blind = (self.model.token_logits(h) for h in hidden.chunk(2, -1))
        guided = blind + self.scale * (given - blind)
        return guided.masked_fill(given == -torch.inf, -torch.inf)  # special tokens
'''
BLIND = '''"""Masks tokens, and in some sequences the whole prompt: for classifier-free guidance."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, State, Vocab

ELBO_WEIGHTS = {"masked_tokens": "elbo_weight"}


class Noised(NamedTuple):
    """The corrupted sequence."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    masked: Tensor  # (B, L) bool
    clean: Tensor  # (B, L) long


def corrupt(
    x: Examples,
    corrupted: Tensor,
    vocab: Vocab,
    rng: Generator,
    *,
    share: float = 0.1,  # of sequences without their prompt; in [0, 1]
) -> Noised:
    """The prompt is masked with probability `share`; its tokens are no targets."""
    u = torch.rand(len(x.tokens), 1, generator=rng, device=x.tokens.device)
    blind = (u < share) & x.fixed & (x.tokens != vocab.bos)
    return Noised(x.tokens.masked_fill(corrupted | blind, vocab.mask), x.valid, corrupted, x.tokens)


def prior(x: Examples, vocab: Vocab) -> State:
    """All free positions are masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
'''
HALVES = '''"""The two halves of the free positions, one after the other."""

from collections.abc import Iterator

from ..types import Examples, State, Window


def windows(x: Examples) -> Iterator[Window]:
    """The halves."""
    most = int((x.valid & ~x.fixed).sum(1).max())
    yield Window(0, most // 2)
    yield Window(most // 2, most)


def narrow(state: State, x: Examples, first: int, last: int) -> State:
    """Only positions of this half may change."""
    free = x.valid & ~x.fixed
    index = free.cumsum(1) - 1  # (B, L)
    return State(state.tokens, state.valid, ~(free & (first <= index) & (index < last)))


def widen(state: State, x: Examples) -> State:
    return state._replace(fixed=x.fixed.clone())
'''


@pytest.fixture
def files(tmp_path):
    for name, source in (("guided", GUIDED), ("blind", BLIND), ("halves", HALVES)):
        (tmp_path / f"{name}.py").write_text(source)
    return tmp_path


def start(m, length: int = 9, prompt: int = 3):
    """The config, a model with noise in its weights, and four sequences after one prompt."""
    config = m.Config.small()
    torch.manual_seed(0)
    model = m.Model(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    tokens = torch.arange(length).expand(4, length) % 8
    tokens = tokens.clone()
    tokens[:, 0] = config.vocab.bos
    fixed = (torch.arange(length) < prompt).expand(4, length)
    return config, model, m.Examples(tokens, torch.ones_like(fixed), fixed)


def run(m, name: str = "", seed: int = 0, **numbers):
    """All states of a sampler, and the calls of the model."""
    config, model, x = start(m)
    counter = CallCounter(model)
    sample = m.SAMPLERS[name] if name else m.sample
    rng = torch.Generator().manual_seed(seed)
    return [*sample(counter, overridden(config, numbers), x, rng)], counter.calls


def test_guidance_counts_two_calls_of_each_step(files):
    """A process that hides prompts in training, and a wrap with two calls of the model."""
    m = package(
        files,
        noise="{process: {kind: ./blind.py, share: 0.5}}",
        sampler="{plain: first_hitting,"
        " guided: {kind: first_hitting, wrap: [./guided.py: {scale: 8}]}}",
    )
    config, model, x = start(m)
    terms = m.objective(model, x, config, torch.Generator().manual_seed(0))
    assert torch.isfinite(terms["cross_entropy"]).all()
    plain, calls = run(m, "plain")
    assert calls == len(plain) - 1
    guided, calls = run(m, "guided")
    assert calls == 2 * (len(guided) - 1)
    assert not torch.equal(guided[-1].tokens, plain[-1].tokens)
    without, _ = run(m, "guided", **{"sampler.guided.wrap.guided.scale": 1.0})
    assert torch.equal(without[-1].tokens, plain[-1].tokens), "no guidance at scale 1"


def test_guidance_follows_its_formula(files):
    m = package(files, sampler="{kind: ancestral, steps: 3, wrap: [./guided.py: {scale: 2}]}")
    config, model, x = start(m)
    wrapped = m.sampler.Guided(model, x, config.vocab, scale=2.0)
    time = torch.full((4, 1), 0.5)
    given = model.token_logits(model(x.tokens, x.valid, time))
    hidden = x.tokens.masked_fill(x.fixed & (torch.arange(9) > 0), config.vocab.mask)
    blind = model.token_logits(model(hidden, x.valid, time))
    found = wrapped.token_logits(wrapped(x.tokens, x.valid, time))
    words = given[0, 0].isfinite()
    torch.testing.assert_close(found[..., words], (2 * given - blind)[..., words])
    assert (found[..., ~words] == -torch.inf).all()


def test_a_wrap_of_the_model_a_loop_and_a_corrector_compose(files):
    m = package(
        files,
        sampler="{kind: ancestral, steps: 2, wrap: [./guided.py, blocks: {size: 2}],"
        " corrector: {gibbs: {moves: 2}}}",
    )
    states, calls = run(m)
    assert len(states) == 1 + 3 * 2, "three blocks of two positions"
    masked = [(s.tokens == m.Config.small().vocab.mask).sum(1).tolist() for s in states]
    assert masked[0] == [6] * 4
    assert masked[2::2] == [[4] * 4, [2] * 4, [0] * 4]
    assert all(torch.equal(s.fixed, states[0].fixed) for s in states)
    assert calls % 2 == 0
    assert calls <= 2 * 6 * (1 + 2)
    assert {k for k in flat(m.Config.small()) if k.startswith(("sampler.w", "sampler.c"))} == {
        "sampler.wrap.guided.scale",
        "sampler.wrap.blocks.size",
        "sampler.corrector.gibbs.moves",
    }


def test_loops_nest_the_first_outermost(files):
    """Halves of six positions, and blocks of two in each half of three."""
    m = package(files, sampler="{kind: first_hitting, wrap: [./halves.py, blocks: {size: 2}]}")
    mask = m.Config.small().vocab.mask
    unmasked = [(s.tokens[0, 3:] != mask).tolist() for s in run(m)[0]]
    assert unmasked[3] == [True] * 3 + [False] * 3
    assert sorted(unmasked[2]) == sorted([True] * 2 + [False] * 4)
    assert unmasked[2][:2] == [True, True], "the first block of the first half"
    assert unmasked[5][:5] == [True] * 5
    other = package(files, sampler="{kind: first_hitting, wrap: [blocks: {size: 4}, ./halves.py]}")
    unmasked = [(s.tokens[0, 3:] != mask).tolist() for s in run(other)[0]]
    assert unmasked[2] == [True] * 2 + [False] * 4
    assert unmasked[4] == [True] * 4 + [False] * 2


def test_samplers_of_one_kind_with_other_wraps(files):
    """Each has its own numbers, and a function of its own."""
    m = package(
        files,
        sampler="{a: {kind: ancestral, steps: 3}, b: {kind: ancestral, steps: 3, wrap: blocks},"
        " c: {kind: ancestral, steps: 3, wrap: [blocks: {size: 3}, ./guided.py], corrector: gibbs},"
        " d: {kind: ancestral, steps: 3, wrap: {blocks: {size: 3}}}}",
    )
    lengths = {name: len(run(m, name)[0]) - 1 for name in m.SAMPLERS}
    assert lengths == {"a": 3, "b": 3, "c": 6, "d": 6}
    assert len(run(m, "d", **{"sampler.d.wrap.blocks.size": 2})[0]) - 1 == 9


def test_a_corrector_changes_unmasked_free_tokens_alone(files):
    """The number of masks after each step is that of the sampler without it."""
    m = package(files, sampler="{kind: ancestral, steps: 6, corrector: gibbs}")
    states, _ = run(m)
    config, _, x = start(m)
    for before, after in pairwise(states):
        assert torch.equal(after.tokens[x.fixed], x.tokens[x.fixed])
        masks = [(s.tokens == config.vocab.mask) for s in (before, after)]
        assert (masks[1] & ~masks[0]).sum() == 0
    held = [s.tokens != config.vocab.mask for s in states[:-1]]
    changed = [
        (a.tokens != b.tokens) & h for a, b, h in zip(states, states[1:], held, strict=False)
    ]
    assert any(c.any() for c in changed)
    assert all((c.sum(1) <= 1).all() for c in changed)


def told(folder, **parts: str) -> list[str]:
    """The codes and messages of a spec's errors."""
    (folder / "spec.yaml").write_text(text(**parts))
    with pytest.raises(Failed) as failed:
        render(plan_of(folder / "spec.yaml"))
    return [f"{d.code}: {d.message}; {d.hint}" for d in failed.value.diagnostics]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def __call__", "def call", "X112: a wrap must define the functions `windows`, `narrow`"),
        ("def __init__", "def build", "or a class with `__init__` and `__call__`"),
        ("        model,\n", "", "`__init__` must take the wrapped `model` as its first argument"),
        ("t: Tensor | None = None", "t: Tensor", "`def __call__(self, tokens, valid, t=None)`"),
        ("valid: Tensor, t", "mask: Tensor, t", "`__call__` must take the arguments of the model"),
        ("def token_logits", "def logits", "which wrap `guided` does not define"),
        ("model.token_logits", "model.nothing", "X207: wrap `guided` uses `model.nothing`"),
        ("vocab: Vocab,", "vocab: Vocab, noise: float,", "X201: wrap `guided` requires `noise`"),
    ],
)
def test_a_wrap_of_the_model_that_does_not_fit(old, new, message, files):
    assert old in GUIDED
    (files / "guided.py").write_text(GUIDED.replace(old, new, 1))
    [found] = told(files, sampler="{kind: ancestral, wrap: ./guided.py}")
    assert message in found


def test_a_wrap_may_pass_on_all_attributes(files):
    source = GUIDED.replace("    def token_logits", "    def logits")
    source += "\n    def __getattr__(self, name):\n        return getattr(self.model, name)\n"
    (files / "guided.py").write_text(source)
    assert render(plan_of_sampler(files, "{kind: ancestral, wrap: ./guided.py}"))


def plan_of_sampler(folder, sampler: str):
    (folder / "spec.yaml").write_text(text(MASKED, sampler=sampler))
    return plan_of(folder / "spec.yaml")


MOVE = '''"""A corrector."""

from ..types import State


def mine(model, state: State) -> State:
    return state
'''


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def mine", "def move", "X112: a corrector must define a function `mine`"),
        ("-> State", "-> int", "`mine` must return the same type as its argument `state`"),
        ("state: State)", "state)", "`mine` must return the same type as its argument `state`"),
        ("state: State)", "z: State)", "`mine` must have an argument `state`"),
        ("model, state", "model, level, state", "X201: corrector `mine` requires `level`"),
        ("return state", "return model.no(state)", "X207: corrector `mine` uses `model.no`"),
        ("return state", "return model(state.tokens, state.valid)", "X306: backbone"),
    ],
)
def test_a_corrector_that_does_not_fit(old, new, message, files):
    (files / "mine.py").write_text(MOVE.replace(old, new, 1))
    sampler = "{kind: ancestral, corrector: ./mine.py}"
    [found] = told(files, sampler=sampler, backbone="rotary_timed")
    assert message in found
    (files / "mine.py").write_text(MOVE)
    assert render(plan_of_sampler(files, sampler))


@pytest.mark.parametrize(
    ("sampler", "exact"),
    [
        ("{kind: ancestral, corrector: gibbs}", True),
        ("{kind: first_hitting, corrector: gibbs}", True),
        ("{kind: fixed_budget, order: confidence}", True),
        ("{kind: fixed_budget, order: confidence, corrector: gibbs}", False),
        ("{kind: first_hitting, wrap: ./guided.py}", True),
    ],
)
def test_a_sampler_with_a_corrector_is_exact_only_from_one_time_to_the_next(sampler, exact, files):
    """An order that depends on the tokens does not keep their distribution at each step."""
    found = plan_of_sampler(files, sampler).exact_at
    assert bool(found) is exact
