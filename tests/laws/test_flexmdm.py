"""FlexMDM between two methods that it contains: masked diffusion, and insertion."""

import importlib
from types import SimpleNamespace

import pytest
import torch
from methods import FLEXMDM, INSERTED, MASKED, package
from xlm_spec.laws.components.loss.count_divergence_law import nats
from xlm_spec.laws.components.target.gap_counts_law import targets

from xlm_spec.laws.models import RandomModel

ROWS, LENGTH = 40, 9


class Constant:
    """A schedule that corrupts nothing before t = 1."""

    def alpha(self, t):
        return torch.ones_like(t)

    def dalpha(self, t):
        return torch.zeros_like(t)

    def inverse(self, alpha):
        return torch.ones_like(alpha)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """FlexMDM, masked diffusion and insertion, with time-conditioned models."""
    folder = tmp_path_factory.mktemp("packages")
    masked = MASKED | {"backbone": "rotary_timed"}
    return [package(folder, parts) for parts in (FLEXMDM, masked, INSERTED)]


def part(made, name: str):
    return importlib.import_module(f"{made.__name__}.{name}")


def batch(made):
    """Sequences of 3 to 9 tokens with BOS and a prompt of one token, and times."""
    tokens = torch.randint(0, 3, (ROWS, LENGTH), generator=torch.Generator().manual_seed(0))
    config = made.Config.small()
    tokens[:, 0] = config.vocab.bos
    position = torch.arange(LENGTH)
    valid = position <= 2 + torch.arange(ROWS)[:, None] % 7
    fixed = (position < 2).expand_as(valid)
    t = torch.linspace(0.02, 0.98, ROWS, dtype=torch.float64)[:, None]
    return made.Examples(tokens, valid, fixed), t, config


def model_of(config):
    """A model with a random output for every state."""
    size = config.vocab.size
    return RandomModel(
        {
            "token_logits": lambda hidden, excluded: hidden.repeat_interleave(9, -1)[..., :size],
            "gap_count": lambda hidden, excluded: 0.1 + hidden[..., -1] / 4,
        },
        allowed=(0, 1, 2),
    )


def drawn(made, schedule, drop_schedule):
    """x_0, t and x_t."""
    x, t, config = batch(made)
    rng = torch.Generator().manual_seed(0)
    return x, t, part(made, "noise").corrupt(x, t, schedule, drop_schedule, config.vocab, rng)


def test_without_drops_it_is_masked_diffusion(packages):
    """The same states, terms and weights; the term of the missing tokens vanishes."""
    flexmdm, masked, _ = packages
    schedule = flexmdm.Config.small().noise.schedule
    x, t, z = drawn(flexmdm, schedule, Constant())
    config = flexmdm.Config.small()
    other = part(masked, "noise").corrupt(x, z.masked, config.vocab)
    assert 0 < z.masked.sum() < (x.valid & ~x.fixed).sum()
    assert torch.equal(z.tokens[x.valid], other.tokens[x.valid])
    assert torch.equal(z.valid, x.valid)

    model = model_of(config)
    hidden = model(z.tokens, z.valid)
    terms = []
    for made, of in ((flexmdm, z), (masked, other)):
        target = part(made, "target").masked_tokens(of.clean, of.masked)
        terms.append(part(made, "loss").cross_entropy(model, hidden, target))
    assert torch.equal(*terms)
    rate = part(flexmdm, "noise").unmasking_rate(t, schedule)
    assert torch.equal(rate, part(masked, "noise").elbo_weight(t, schedule))
    missing = part(flexmdm, "target").gap_counts(z.dropped, z.gap, z.open, z.dropped_p)
    term = part(flexmdm, "loss").count_divergence(model, hidden, missing)
    assert not (part(flexmdm, "noise").insertion_rate(t, Constant()) * term).any()


def test_if_all_is_unmasked_at_once_it_is_insertion(packages):
    """No state has a mask; what is missing, and at which rate, is that of independent drops."""
    flexmdm, _, insertion = packages
    schedule = flexmdm.Config.small().noise.drop_schedule
    x, t, z = drawn(flexmdm, Constant(), schedule)
    other = part(insertion, "noise").corrupt(x, z.dropped)
    assert z.dropped.any()
    assert not z.masked.any()
    assert torch.equal(z.valid, other.valid)
    assert torch.equal(z.tokens[z.valid], other.tokens[z.valid])
    assert torch.equal(z.open, other.open)
    counts = part(flexmdm, "target").gap_counts(z.dropped, z.gap, z.open, z.dropped_p)
    tokens = part(insertion, "target").gap_tokens(x, other.dropped, other.gap, other.open)
    found = torch.zeros(z.tokens.shape, dtype=t.dtype)
    found.index_put_((tokens.row, tokens.col), torch.ones_like(t[:, 0])[tokens.row], True)
    assert torch.allclose(counts.count * counts.share, found)


def test_each_term_is_that_of_its_law(packages):
    """A Poisson log-likelihood of each open gap, row by row."""
    flexmdm = packages[0]
    x, _, config = batch(flexmdm)
    model, noise = model_of(config), part(flexmdm, "noise")
    dropped = (torch.arange(LENGTH) % 3 != 1) & x.valid & ~x.fixed
    one = torch.ones(ROWS, 1, dtype=torch.float64)
    z = noise.noised(x, torch.zeros_like(dropped), dropped, one, config.vocab)
    counts = part(flexmdm, "target").gap_counts(z.dropped, z.gap, z.open, z.dropped_p)
    hidden = model(z.tokens, z.valid)
    term = part(flexmdm, "loss").count_divergence(model, hidden, counts).sum(1)
    for i in range(ROWS):
        right = targets(*(a[i] for a in x[:3]), dropped[i].nonzero()[:, 0].tolist())
        state = SimpleNamespace(dropped_p=one[i])
        assert float(term[i]) == pytest.approx(nats(model, hidden[i], right, state))


@pytest.mark.parametrize("steps", [2, 16])
def test_no_mask_is_left_if_alpha_rounds_to_one_before_the_end(tmp_path, steps):
    """In float32, t^10 vanishes below t = 0.19. The control: some are left before the last step."""
    schedules = "schedule: {kind: polynomial, power: 10}, drop_schedule: linear"
    noise = f"{{process: drop_then_mask, {schedules}}}"
    sampler = f"{{kind: tau_leaping, steps: {steps}, order: random}}"
    made = package(tmp_path, FLEXMDM, noise=noise, sampler=sampler)
    config = made.Config.small()
    model = made.Model(config).eval()
    tokens = torch.full((400, 12), config.vocab.bos)
    fixed = torch.arange(12).expand_as(tokens) == 0
    x = made.Examples(tokens, torch.ones_like(fixed), fixed)
    with torch.no_grad():
        *_, before, last = made.sample(model, config, x, torch.Generator().manual_seed(0))
    assert ((before.tokens == config.vocab.mask) & before.valid).any()
    assert not ((last.tokens == config.vocab.mask) & last.valid).any()
    assert last.valid.sum() > 600
