"""BD3-LM: blocks in training, in sampling and in the bound."""

import pytest
import torch
from family_packages import canvas, family_packages, lines, model_of, sampled


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return family_packages(tmp_path_factory.mktemp("families"), ["bd3lm"])


def test_bd3lm_has_a_forward_pass_of_training_and_one_number_of_blocks(packages):
    found = lines(packages["bd3lm"])
    assert "hidden = model.train_pass(z.tokens, z.valid, z.clean)  # (B, L, D)" in found
    model, config = model_of(packages["bd3lm"])
    assert config.noise.time.block == 3
    assert model.backbone.block == 3
    assert not hasattr(config.backbone, "block")
    assert not hasattr(config.sampler.ancestral, "block")


@pytest.mark.parametrize("sampler", ["ancestral", "first_hitting", "confidence"])
def test_bd3lm_draws_block_after_block(packages, sampler):
    """A block is complete before the next one begins."""
    bd3lm = packages["bd3lm"]
    model, config = model_of(bd3lm)
    for state in sampled(bd3lm, model, canvas(bd3lm, 2, 8), sampler):
        masked = (state.tokens == config.vocab.mask)[0].tolist()
        blocks = [masked[1:3], masked[3:6], masked[6:]]
        begun = [not all(b) for b in blocks]
        complete = [not any(b) for b in blocks]
        assert all(complete[i] or not begun[i + 1] for i in range(2))
    assert complete == [True] * 3


def test_bd3lm_training_sees_clean_tokens_of_earlier_blocks_alone(packages):
    """Another clean token changes later blocks, another corrupted one only its own."""
    model, _ = model_of(packages["bd3lm"])
    tokens = torch.arange(9)[None] % 8
    valid = torch.ones_like(tokens, dtype=torch.bool)
    other = tokens.clone()
    other[0, 4] = 7  # in the second block

    def changed(a, b):
        """The blocks whose hidden states differ."""
        differs = (model.train_pass(*a) - model.train_pass(*b)).abs().amax(-1)[0] > 1e-6
        return differs.unflatten(0, (3, 3)).any(1).tolist()

    assert changed((tokens, valid, tokens), (tokens, valid, other)) == [False, False, True]
    assert changed((tokens, valid, tokens), (other, valid, tokens)) == [False, True, False]


def test_bd3lm_divides_its_bound_by_the_density_of_its_times(packages):
    bound = lines(packages["bd3lm"], "log_likelihood_bound")
    assert "p_t = density(t, edge=config.noise.time.edge)  # (B, L)" in bound
    assert bound[-1] == "return -(weight * cross_entropy(model, hidden, target) / p_t).sum(1)"
