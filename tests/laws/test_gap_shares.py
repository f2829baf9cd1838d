"""The insertion transformer: its sampler doubles a sequence, its shares are those of a tree."""

import importlib

import pytest
import torch
from methods import ROOT

from xlm_spec.compiler.build import build
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
