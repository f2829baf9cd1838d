"""The insertion transformer: its sampler doubles a sequence, its shares are those of a tree."""

import importlib
from collections import Counter
from itertools import product

import pytest
import torch
from methods import ROOT, WHOLE, package

from xlm_spec.compiler.build import build
from xlm_spec.laws import check_law, load_package
from xlm_spec.laws.formula_laws import formula
from xlm_spec.laws.law import LAWS
from xlm_spec.laws.package import import_package


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The package of the shipped spec."""
    into = tmp_path_factory.mktemp("insertion_tree")
    folder = build(ROOT / "specs" / "insertion_tree.yaml", into).folder
    return import_package(folder, "insertion_tree")


def canvas(made, width: int):
    """BOS and free positions."""
    tokens = torch.full((3, width), made.Config.small().vocab.bos)
    fixed = torch.arange(width).expand(3, -1) == 0
    return made.Examples(tokens, torch.ones_like(fixed), fixed)


def test_if_no_gap_is_finished_n_tokens_become_twice_as_many(made):
    """The control: with all gaps finished nothing is inserted."""
    torch.manual_seed(0)
    model = made.Model(made.Config.small()).eval()
    for bias, lengths in ((-9.0, [1, 2, 4, 8, 9]), (9.0, [1, 1])):
        with torch.no_grad():
            model.gap_end_logit.linear.bias.fill_(bias)
            rng = torch.Generator().manual_seed(0)
            states = [*made.sample(model, made.Config.small(), canvas(made, 9), rng)]
        assert [int(s.valid.sum(1).unique()) for s in states][: len(lengths)] == lengths


def test_shares_of_a_tree_and_equal_ones(made):
    """Five missing tokens in one gap, the first and the last of the sequence are there."""
    target = importlib.import_module(f"{made.__name__}.target")
    x = canvas(made, 7)
    dropped = (torch.arange(7) > 0).expand(3, -1) & (torch.arange(7) < 6)
    gap = torch.zeros(3, 7, dtype=torch.long)
    open = torch.arange(7).expand(3, -1) < 2
    tree = torch.softmax(torch.tensor([-2.0, -1, 0, -1, -2]) / 0.5, 0)
    for balanced, right in ((True, tree), (False, torch.full((5,), 0.2))):
        found = target.gap_shares(x, dropped, gap, open, balanced=balanced, tau=0.5)
        assert torch.allclose(found.share.view(3, 5), right.expand(3, 5))
        assert found.empty.tolist() == [[False, True, *[False] * 5]] * 3


@pytest.mark.parametrize("tau", [1e-6, 1e6])
def test_at_the_ends_of_tau_the_shares_are_those_of_the_middle_or_equal(made, tau):
    """Two tokens are in the middle of four."""
    target = importlib.import_module(f"{made.__name__}.target")
    x = canvas(made, 6)
    dropped = (torch.arange(6) > 0).expand(3, -1) & (torch.arange(6) < 5)
    gap, open = torch.zeros(3, 6, dtype=torch.long), torch.arange(6).expand(3, -1) < 2
    found = target.gap_shares(x, dropped, gap, open, tau=tau)
    right = torch.tensor([0.0, 0.5, 0.5, 0.0] if tau < 1 else [0.25] * 4)
    assert torch.allclose(found.share.view(3, 4), right.expand(3, 4), atol=1e-5)


# ---- sequence termination ------------------------------------------------------------------------

DATA = ((0, 1, 2), (2,), (1, 1, 0, 2))


class Tables:
    """The minimiser: for each x_t the mean of share / gaps of (gap, token), and p(complete)."""

    def __init__(self, made, blur: float = 0.0):
        target, bos = importlib.import_module(f"{made.__name__}.target"), 3
        self.mass, self.complete, self.blur = {}, {}, blur
        for x in DATA:
            for kept in product((False, True), repeat=len(x)):
                keep = torch.tensor([[True, *kept]])
                tokens = torch.tensor([[bos, *x]])
                fixed = torch.arange(len(x) + 1)[None] == 0
                example = made.Examples(tokens, torch.ones_like(fixed), fixed)
                gap, open = keep.long().cumsum(1) - 1, torch.arange(5)[None] <= sum(kept)
                shares = target.gap_shares(example, ~keep, gap, open)
                state = tuple(v for v, k in zip(x, kept, strict=True) if k)
                table = self.mass.setdefault(state, torch.zeros(5, 3).double())
                gaps = max(1, len({*shares.col.tolist()}))
                for col, v, share in zip(*(a.tolist() for a in shares[1:4]), strict=True):
                    table[col, v] += share / gaps
                done, total = self.complete.get(state, (0, 0))
                self.complete[state] = done + all(kept), total + 1

    def __call__(self, tokens, valid):
        hidden = torch.zeros(*tokens.shape, 4).double()
        for row, (t, v) in enumerate(zip(tokens, valid, strict=True)):
            state = tuple(t[v].tolist()[1:])
            width = min(5, tokens.shape[1])
            hidden[row, :width, :3] = self.mass[state][:width] + self.blur
            done, total = self.complete[state]
            hidden[row, 0, 3] = done / total
        return hidden

    def gap_token_logits(self, hidden):
        return hidden[..., :3].log()

    def stop_logit(self, hidden):
        return hidden[..., 3].logit()


def test_with_sequence_termination_every_sample_is_complete(tmp_path):
    """No other sequence is sampled. The control: a model that may insert anything anywhere."""
    made = package(tmp_path, WHOLE)
    config = made.Config(vocab=made.Vocab(size=5, pad=4, bos=3))
    tokens = torch.full((300, 5), 3)
    fixed = torch.arange(5).expand(300, -1) == 0
    x = made.Examples(tokens, torch.ones_like(fixed), fixed)

    def samples() -> Counter:
        *_, last = made.sample(Tables(made), config, x, torch.Generator().manual_seed(0))
        rows = zip(last.tokens, last.valid, strict=True)
        return Counter(tuple(t[v].tolist()[1:]) for t, v in rows)

    found = samples()
    assert {*found} == {*DATA}
    with pytest.raises(KeyError):  # a state that leads to no sequence
        *_, _ = made.sample(Tables(made, 0.3), config, x, torch.Generator().manual_seed(0))


def test_finished_gaps_have_no_term(tmp_path):
    """The loss equals its formula; of a complete sequence it is zero."""
    made = package(tmp_path, WHOLE)
    [law] = [law for law in LAWS if law.measure is formula]
    assert {r.status for r in check_law(load_package(tmp_path / made.__name__), law)} == {"held"}
    x, none = canvas(made, 4), torch.zeros(3, 4, dtype=torch.bool)
    target = importlib.import_module(f"{made.__name__}.target")
    shares = target.gap_shares(x, none, torch.zeros(3, 4, dtype=torch.long), ~none)
    loss = importlib.import_module(f"{made.__name__}.loss").tree_cross_entropy
    model, vocab = made.Model(made.Config.small()), made.Config.small().vocab
    value = loss(model, torch.randn(3, 4, made.Config.small().backbone.width), shares, vocab)
    assert not value.any()
