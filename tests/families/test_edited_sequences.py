"""Insertion and Levenshtein transformers; sigma-GPT, which reads places."""

import pytest
import torch
from family_packages import canvas, family_packages, lines, model_of, sampled

from xlm_spec.runtime.scoring import CallCounter


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return family_packages(
        tmp_path_factory.mktemp("families"), ["insertion_transformer", "levenshtein", "sigma_gpt"]
    )


def test_an_insertion_transformer_fills_all_gaps_at_once(packages):
    """If no gap is finished, n tokens become 2 n."""
    made = packages["insertion_transformer"]
    model, _ = model_of(made)
    with torch.no_grad():
        model.slot_end.linear.weight.zero_()
        model.slot_end.linear.bias.fill_(-9.0)
    lengths = [int(s.valid.sum(1).unique()) for s in sampled(made, model, canvas(made))]
    assert lengths[:5] == [1, 2, 4, 8, 9]


def test_levenshtein_has_two_roll_ins(packages):
    found = lines(packages["levenshtein"])
    assert [line for line in found if line.startswith(("z", "hidden", "target"))] == [
        "z = corrupt(x, corrupted)",
        "hidden = model(z.tokens, z.valid)  # (B, L, D)",
        "z_2 = placeholders(x, z.dropped, vocab)",
        "hidden_2 = model(z_2.tokens, z_2.valid)  # (B, L, D)",
        "z_3 = filled(model, hidden_2, z_2.tokens, z_2.valid, z_2.clean, z_2.masked)",
        "hidden_3 = model(z_3.tokens, z_3.valid)  # (B, L, D)",
        "target = gap_tokens(x, z.dropped, z.gap, z.open)",
        "target_2 = masked_tokens(z_2.clean, z_2.masked)",
        "target_3 = wrong_tokens(x, z_3.wrong)",
    ]
    assert '"cross_entropy": cross_entropy(model, hidden_2, target_2).sum(1),' in found
    assert not hasattr(packages["levenshtein"], "log_likelihood_bound")


def test_a_round_of_levenshtein_is_three_function_evaluations(packages):
    levenshtein = packages["levenshtein"]
    counter = CallCounter(model_of(levenshtein)[0])
    sampled(levenshtein, counter, canvas(levenshtein))
    assert counter.calls == 3 * 3


def test_sigma_gpt_reads_places(packages):
    found = lines(packages["sigma_gpt"])
    assert "hidden = model(z.tokens, z.valid, z.place, z.next_place)  # (B, L, D)" in found
