"""The Levenshtein transformer; sigma-GPT, which reads places."""

import pytest
from family_packages import canvas, family_packages, lines, model_of, sampled

from xlm_spec.runtime.evaluation.scoring import CallCounter


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return family_packages(tmp_path_factory.mktemp("families"), ["levenshtein", "sigma_gpt"])


def test_levenshtein_has_two_roll_ins(packages):
    found = lines(packages["levenshtein"])
    assert [line for line in found if line.startswith(("z", "hidden", "target"))] == [
        "z = corrupt(x, corrupted)",
        "hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)",
        "z_2 = masks_at_dropped(x, z.dropped, vocab)",
        "hidden_2 = model(z_2.tokens, z_2.valid)  # (B, L, D)",
        "z_3 = filled(model, hidden_2, z_2.tokens, z_2.valid, z_2.clean, z_2.masked)",
        "hidden_3 = model(z_3.tokens, z_3.valid)  # (B, L, D)",
        "target = gap_tokens(x, z.dropped, z.gap, z.open)",
        "target_2 = masked_tokens(z_2.clean, z_2.masked)",
        "target_3 = wrong_flags(x, z_3.wrong)",
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
