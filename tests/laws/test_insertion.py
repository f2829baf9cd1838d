"""Dropping, and what undoes it: losses at their floor, a bound that is one, exact samplers.

What can be enumerated is (every text, every set of dropped tokens), to float64's last digits. The
rest is drawn: 40,000 samples, chi-square, false alarms 1e-6. Each law has a control that must fail.
"""

from itertools import product
from math import comb, lgamma, log

import pytest
import torch
from laws.growing import BOS, LONGEST, PAD, SIZE, Growing, Missing, V, generator, growing, laid_out
from laws.world import ALARM, follows, p_value, quadrature
from making import INSERTED, package

from components.count import bernoulli, exact, uniform
from components.loss.gap_cross_entropy import gap_cross_entropy
from components.loss.insertion_bound import insertion_bound
from components.loss.stop_cross_entropy import stop_cross_entropy
from components.process.drop import corrupt, prior
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.target.gap_tokens import gap_tokens
from components.target.stop import stop
from components.types import Examples, Vocab

W = growing()
VOCAB = Vocab(size=V, pad=PAD, bos=BOS)
ROWS = 40_000


# ---- every text under every set of dropped tokens ------------------------------------------------


def nats_of(model, world: Growing, change=lambda target: target, term=insertion_bound):
    """(text, number dropped, chance of the set given the number, nats of the gap, of stopping)."""
    out = []
    for k, x in enumerate(world.texts):
        sets = list(product([False, True], repeat=len(x)))
        chosen = torch.tensor([[False, *s, *[False] * (LONGEST - len(x))] for s in sets])
        rows = world.examples([k] * len(sets), Examples)
        z = corrupt(rows, chosen)
        hidden = model(z.tokens, z.valid)
        gap = term(model, hidden, change(gap_tokens(rows, z.dropped, z.gap, z.open)), VOCAB)
        done = stop_cross_entropy(model, hidden, stop(z.dropped))
        n = chosen.sum(1)
        chance = torch.tensor([1 / comb(len(x), int(i)) for i in n], dtype=torch.float64)
        out.append((world.p[k], n, chance, gap[:, 0], done[:, 0]))
    return out


def bound(model, world: Growing = W, **how) -> float:
    """Each number of dropped tokens counts once."""
    return sum(float(p * (c * (g + s)).sum()) for p, _, c, g, s in nats_of(model, world, **how))


def test_the_bound_is_the_entropy_at_the_exact_minimiser():
    assert abs(bound(Missing(W)) - W.entropy) < 1e-9


def test_any_other_network_scores_worse():
    assert bound(Missing(W, blur=0.1)) > W.entropy + 0.01


def test_the_derivative_vanishes_at_the_minimiser():
    small, large = (bound(Missing(W, blur=b)) - W.entropy for b in (1e-4, 1e-2))
    assert 0 < small < large / 50


def test_the_minimiser_of_the_unweighted_loss_is_another_where_lengths_vary():
    assert bound(Missing(W, levels=False)) > W.entropy + 0.01


def test_with_one_length_it_is_the_same():
    one = growing(shortest=LONGEST)
    assert abs(bound(Missing(one, levels=False), one) - one.entropy) < 1e-9


def test_control_a_gap_shifted_by_one_is_caught():
    def shifted(target):
        return target._replace(col=(target.col - 1).clamp(min=0))

    assert bound(Missing(W), change=shifted) > W.entropy + 0.5


def test_control_a_loss_without_stopping_is_below_the_entropy():
    assert sum(float(p * (c * g).sum()) for p, _, c, g, _ in nats_of(Missing(W), W)) < W.entropy


@pytest.mark.parametrize("rule", ["bernoulli", "bernoulli, cosine", "uniform", "exact"])
def test_with_its_weight_every_number_of_dropped_tokens_counts_once(rule):
    """sum over the law of the count of its weight, (n, k): 1 for every k."""
    schedule = CosineSchedule() if "cosine" in rule else LinearSchedule()
    t, w = quadrature(4_000 if rule == "exact" else 64)
    for n in range(LONGEST + 1):
        x = laid_out(torch.full((len(t), 1 + LONGEST), BOS), torch.full((len(t),), 1 + n), Examples)
        for k in range(n + 1):
            chosen = torch.zeros_like(x.valid)
            chosen[:, 1 : 1 + k] = True
            gone = 1 - schedule.alpha(t)
            if rule == "uniform":
                total = uniform.level_weight(x)[0, 0] / (n + 1)
            elif rule == "exact":
                weight = exact.level_weight(x, chosen, schedule, least=0)[:, 0]
                total = (w * weight * ((gone * (n + 1)).floor() == k)).sum()
            else:
                chance = comb(n, k) * gone**k * (1 - gone) ** (n - k)
                weight = bernoulli.level_weight(x, t[:, None], schedule)[:, 0]
                total = (w * chance * weight).sum()
            assert abs(float(total) - 1) < (2e-3 if rule == "exact" else 1e-6), (n, k)


# ---- the loss alone ------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "floor"), [(4, 0.6356), (5, 0.7979)])
def test_the_floor_of_gap_cross_entropy_is_the_mean_of_ln_max_n_1(length, floor):
    """A network that knows the text has only the order left to guess: ln n nats for n missing."""
    x = laid_out(torch.arange(9, 10 + length)[None], torch.tensor([1 + length]), Examples)
    vocab = Vocab(size=20, bos=9)
    means = []
    for n in range(length + 1):
        chosen = torch.zeros_like(x.valid)
        chosen[:, 1 : 1 + n] = True
        z = corrupt(x, chosen)
        target = gap_tokens(x, z.dropped, z.gap, z.open)
        logits = torch.full((1, 1 + length, 20), -torch.inf)
        logits[0, target.col, target.token] = 0.0
        means.append(float(gap_cross_entropy(Table(), logits, target, vocab)))
    expected = sum(log(max(n, 1)) for n in range(length + 1)) / (length + 1)
    assert abs(expected - floor) < 1e-4
    assert abs(sum(means) / len(means) - expected) < 1e-6


class Table:
    """A network whose hidden states are the scores."""

    def gap_token_logits(self, hidden):
        return hidden


def some_target(rows=5, length=9, vocab=11, seed=0):
    rng = generator(seed)
    tokens = torch.randint(0, vocab - 1, (rows, length), generator=rng)
    x = laid_out(tokens, torch.randint(3, length + 1, (rows,), generator=rng), Examples)
    z = corrupt(x, uniform.choose(x, rng))
    return gap_tokens(x, z.dropped, z.gap, z.open)


def dense(logits, target):
    """Straight from the formula: counts (B, L, V), normalised, against one softmax, float64."""
    counts = torch.zeros_like(logits)
    for b, i, v in zip(target.row, target.col, target.token, strict=True):
        counts[b, i, v] += 1
    log_p = logits.masked_fill(~target.open[..., None], -torch.inf).flatten(1).log_softmax(1)
    share = counts.flatten(1) / counts.flatten(1).sum(1, keepdim=True).clamp(min=1)
    cross = -torch.where(share > 0, share * log_p, 0.0).sum(1, keepdim=True)
    return cross, cross - counts.sum((1, 2))[:, None].clamp(min=1).log()


@pytest.mark.parametrize("held", [None, 40])
def test_the_sparse_losses_are_the_dense_ones_and_so_are_their_gradients(held, monkeypatch):
    """Also where scores are made in pieces, and anew on the way back."""
    if held:
        from components import ops

        whole = ops.pieces
        monkeypatch.setattr(ops, "pieces", lambda total, each: whole(total, each, held))
    target, vocab = some_target(), Vocab(size=11)
    logits = torch.randn(*target.open.shape, 11, generator=generator(), dtype=torch.float64)
    logits.requires_grad_()
    for mine, theirs in zip((gap_cross_entropy, insertion_bound), (0, 1), strict=True):
        sparse, full = mine(Table(), logits, target, vocab), dense(logits, target)[theirs]
        assert torch.allclose(sparse, full, atol=1e-9)
        a, b = (torch.autograd.grad(v.sum(), logits)[0] for v in (sparse, full))
        assert torch.allclose(a, b, atol=1e-9)


def test_control_a_normaliser_over_closed_gaps_is_another_loss():
    target = some_target()
    logits = torch.randn(*target.open.shape, 11, generator=generator(), dtype=torch.float64)
    everywhere = target._replace(open=torch.ones_like(target.open))
    vocab = Vocab(size=11)
    right = gap_cross_entropy(Table(), logits, target, vocab)
    wrong = gap_cross_entropy(Table(), logits, everywhere, vocab)
    assert not torch.allclose(right, wrong, atol=1e-3)


def test_a_row_that_lacks_nothing_costs_nothing_and_has_a_gradient():
    target = some_target()
    none = target._replace(**{k: getattr(target, k)[:0] for k in ("row", "col", "token")})
    logits = torch.randn(*target.open.shape, 11, requires_grad=True)
    nats = gap_cross_entropy(Table(), logits, none, Vocab(size=11))
    nats.sum().backward()
    assert (nats == 0).all()
    assert (logits.grad == 0).all()


# ---- packages ------------------------------------------------------------------------------------


def config_of(method):
    return method.Config(vocab=method.Vocab(size=V, pad=PAD, bos=BOS))


@pytest.mark.parametrize(
    "noise",
    [
        "{process: drop, count: uniform}",
        "{process: drop, count: bernoulli, schedule: cosine}",
        "{process: drop, count: {kind: exact, least: 0}}",
    ],
)
def test_a_package_estimates_the_entropy(noise, tmp_path):
    """5.5 standard errors: a false-alarm rate of 4e-8."""
    method = package(tmp_path, INSERTED, noise=noise)
    x = W.draw(ROWS, method.Examples)
    nats = -method.log_likelihood_bound(Missing(W), x, config_of(method), generator(3))
    error = float(nats.std()) / ROWS**0.5
    assert abs(float(nats.mean()) - W.entropy) < 5.5 * error
    assert error < 0.05


def test_control_without_the_weight_the_sum_is_not_the_entropy(tmp_path):
    loss = "[insertion_bound, stop_cross_entropy]"
    method = package(tmp_path, INSERTED, loss=loss)
    x = W.draw(ROWS, method.Examples)
    terms = method.objective(Missing(W), x, config_of(method), generator(3))
    nats = torch.stack(list(terms.values())).sum(0)
    assert float(nats.mean()) < W.entropy - 5.5 * float(nats.std()) / ROWS**0.5


def written(method, model, world: Growing = W):
    start = world.start(ROWS, method.Examples)
    *_, last = method.sample(model, config_of(method), start, generator())
    return world.counts(last)


def law_of(world: Growing) -> torch.Tensor:
    return torch.cat([world.p, torch.zeros(1)])


@pytest.mark.parametrize("kind", ["insertion", "joint_insertion"])
def test_the_samplers_are_exact_with_a_drawn_stop(kind, tmp_path):
    method = package(tmp_path, INSERTED, sampler=f"{{kind: {kind}, stop: drawn}}")
    follows(written(method, Missing(W)), law_of(W))


def test_control_the_published_weights_stop_too_early(tmp_path):
    """families.md F4: where lengths vary, the unweighted minimiser writes too short a text."""
    method = package(tmp_path, INSERTED)
    counts = written(method, Missing(W, levels=False))
    assert p_value(counts, law_of(W)) < ALARM
    length = torch.tensor([len(x) for x in W.texts], dtype=torch.float64)
    assert float(counts[:-1] @ length) / ROWS < float(W.p @ length) - 0.1


def test_with_one_length_the_published_weights_are_exact(tmp_path):
    one = growing(shortest=LONGEST)
    follows(written(package(tmp_path, INSERTED), Missing(one, levels=False), one), law_of(one))


def test_control_a_threshold_is_not_exact(tmp_path):
    method = package(tmp_path, INSERTED, sampler="{kind: insertion, stop: threshold}")
    assert p_value(written(method, Missing(W)), law_of(W)) < ALARM


def test_control_tokens_at_another_temperature_are_caught(tmp_path):
    sampler = "{kind: insertion, stop: drawn, tokens: {kind: temperature, temperature: 1.2}}"
    method = package(tmp_path, INSERTED, sampler=sampler)
    assert p_value(written(method, Missing(W)), law_of(W)) < ALARM


def test_any_network_is_sampled_by_its_own_law(tmp_path):
    """Not the minimiser: the law of the chain is summed over all ways to a text."""
    method, model = package(tmp_path, INSERTED), Missing(W, blur=0.3)
    now: dict[tuple, float] = {(): 1.0}
    ends: dict[tuple, float] = {}
    for room in range(LONGEST, -1, -1):
        grown: dict[tuple, float] = {}
        for kept, chance in now.items():
            tokens = torch.tensor([[BOS, *kept]])
            hidden = model(tokens, tokens >= 0)
            done = float(torch.sigmoid(model.stop_logit(hidden[0, 0]))) if room else 1.0
            ends[kept] = ends.get(kept, 0.0) + chance * done
            pairs = model.gap_token_logits(hidden)[0].flatten().softmax(0).view(-1, V)
            for gap, token in product(range(len(kept) + 1), range(SIZE)):
                new = (*kept[:gap], token, *kept[gap:])
                more = chance * (1 - done) * float(pairs[gap, token])
                grown[new] = grown.get(new, 0.0) + more
        now = grown
    law = torch.tensor([ends[x] for x in W.texts], dtype=torch.float64)
    assert abs(float(law.sum()) - 1) < 1e-9
    follows(written(method, model), torch.cat([law, torch.zeros(1)]))


# ---- what is given -------------------------------------------------------------------------------


def test_text_grows_only_in_open_gaps():
    """Fixed: BOS a b . c d; the site behind b is free, so only the gaps behind b and d are open."""
    tokens = torch.tensor([[BOS, 0, 1, PAD, 2, 0, PAD, PAD]])
    valid = torch.tensor([[1, 1, 1, 1, 1, 1, 0, 0]]).bool()
    fixed = torch.tensor([[1, 1, 1, 0, 1, 1, 0, 0]]).bool()
    state = prior(Examples(tokens, valid, fixed))
    assert state.tokens[state.valid].tolist() == [BOS, 0, 1, 2, 0]
    assert state.open[0].nonzero()[:, 0].tolist() == [2, 4]
    only = torch.zeros_like(valid)
    only[0, 2] = True
    state = prior(Examples(tokens, valid, fixed, gaps=only))
    assert state.open[0].nonzero()[:, 0].tolist() == [2]


@pytest.mark.parametrize("kind", ["insertion", "joint_insertion"])
def test_what_is_given_stays_and_stays_together(kind, tmp_path):
    """With any network: given tokens, in order, with text only where a site was free."""
    method = package(tmp_path, INSERTED, sampler=f"{{kind: {kind}, stop: drawn}}")
    config = method.Config.small()
    torch.manual_seed(0)
    model = method.Model(config).eval()
    bos, pad = config.vocab.bos, config.vocab.pad
    tokens = torch.tensor([[bos, 0, 1, pad, 2, 0, pad, pad, pad]]).expand(200, -1)
    valid = torch.tensor([[1, 1, 1, 1, 1, 1, 0, 0, 0]]).bool().expand(200, -1)
    fixed = torch.tensor([[1, 1, 1, 0, 1, 1, 0, 0, 0]]).bool().expand(200, -1)
    states = list(method.sample(model, config, method.Examples(tokens, valid, fixed), generator()))
    for state in states:
        for line, given, n in zip(state.tokens, state.fixed, state.valid.sum(1), strict=True):
            assert line[:n][given[:n]].tolist() == [bos, 0, 1, 2, 0]
            assert line[:3].tolist() == [bos, 0, 1]
            place = given[:n].nonzero()[:, 0].tolist()
            assert place[4] == place[3] + 1, "2 0 stay together"
    lengths = states[-1].valid.sum(1)
    assert int(lengths.max()) == 9, "up to the end of the room"
    assert int(lengths.min()) == 5, "and a text may be complete as it is"


def test_dropping_and_inserting_give_the_text_back():
    x = W.draw(500, Examples)
    z = corrupt(x, uniform.choose(x, generator(2)))
    target = gap_tokens(x, z.dropped, z.gap, z.open)
    lines = [line[:n].tolist() for line, n in zip(z.tokens, z.valid.sum(1), strict=True)]
    for row, col, token in reversed([*zip(*(a.tolist() for a in target[:3]), strict=True)]):
        lines[row].insert(col + 1, token)
    assert lines == [t[v].tolist() for t, v in zip(x.tokens, x.valid, strict=True)]


def test_columns_of_padding_change_nothing(tmp_path):
    """With token mixing a site sees its right neighbour: none, or padding, must be the same.

    Training has rows that fill the room, sampling has not; a network that sees where the room ends
    learns to copy that instead (exact match stays at 5 % on star graphs).
    """
    method = package(tmp_path, INSERTED, backbone="{kind: rotary, mixing: true, positions: 20}")
    config = method.Config.small()
    config = config.__class__(
        vocab=config.vocab,
        backbone=method.config.Backbone(
            layers=2, width=32, heads=2, dropout=0.0, mixing=True, positions=20
        ),
    )
    model = method.Model(config).eval()
    tokens = torch.randint(0, 8, (3, 6), generator=generator())
    wide = torch.nn.functional.pad(tokens, (0, 5), value=config.vocab.pad)
    valid = torch.arange(11).expand(3, -1) < 6
    assert torch.allclose(model(tokens, valid[:, :6]), model(wide, valid)[:, :6], atol=1e-6)
    seen = model(wide, torch.ones_like(valid))[:, :6]
    assert not torch.allclose(model(wide, valid)[:, :6], seen, atol=1e-3), "the control"


@pytest.mark.parametrize("text", [(0, 1, 2), (0, 0, 1), (0, 0, 0)])
def test_all_orders_of_a_text_are_counted_also_of_equal_tokens(text):
    """A network that knows the text gives it probability one; cross-entropy leaves ln n! there."""
    world = Growing([text], torch.ones(1, dtype=torch.float64))
    assert abs(bound(Missing(world), world)) < 1e-9
    assert abs(bound(Missing(world), world, term=gap_cross_entropy) - lgamma(4)) < 1e-9


def test_control_equal_tokens_taken_for_one_are_caught():
    """The divergence from the normalised counts is looser where a gap lacks a token twice."""

    def divergence(model, hidden, target, vocab):
        n = torch.bincount(target.row, minlength=len(hidden))[target.row].double()
        place = (target.row * hidden.shape[1] + target.col) * V + target.token
        _, which, count = place.unique(return_inverse=True, return_counts=True)
        more = torch.zeros(len(hidden)).double()
        more = more.index_add(0, target.row, count[which].double().log() / n)
        return insertion_bound(model, hidden, target, vocab) + more[:, None]

    assert bound(Missing(W), term=divergence) > W.entropy + 0.1


def test_where_nothing_may_be_inserted_there_is_no_loss_and_no_step(tmp_path):
    """Every token given and every gap closed, in all rows of a batch."""
    method = package(tmp_path, INSERTED)
    config = method.Config.small()
    model = method.Model(config)
    tokens = torch.tensor([[config.vocab.bos, 1, 2, 3, 4]] * 3)
    valid = torch.arange(5).expand(3, -1) < 4
    x = method.Examples(tokens, valid, valid, gaps=torch.zeros_like(valid))
    terms = method.objective(model, x, config, generator())
    assert terms["gap_cross_entropy"].eq(0).all()
    sum(terms.values()).mean().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    [only] = method.sample(model.eval(), config, x, generator())
    assert torch.equal(only.tokens[only.valid], tokens[valid])
