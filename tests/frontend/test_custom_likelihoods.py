"""What a custom component declares, or lacks, decides whether the package has a likelihood."""

import pytest
from custom_files import reports_likelihood, warned
from methods import INSERTED, PLAIN, text
from shipped_components import named, shipped

from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.plan import plan_of


def test_a_target_that_sees_the_answer_has_no_exact_likelihood(tmp_path):
    """What the control differs in is the target's ATTENTION alone."""
    file = named(tmp_path, "target", "next_token")
    assert plan_of(file).inferred["likelihood"] == "exact"
    assert warned(file) == []
    for gone in ('ATTENTION = "causal"', '"causal"'):
        new = "" if "=" in gone else '"bidirectional"'
        file = named(tmp_path, "target", "next_token", gone, new)
        assert not reports_likelihood(file)
        assert warned(file) == ["X355"]


def test_a_process_that_draws_what_is_read_has_no_exact_likelihood(tmp_path):
    process = shipped("process", "none", "none").replace(
        "(x: Examples) -> Noised", "(x: Examples, rng) -> Noised"
    )
    (tmp_path / "noisy.py").write_text(process)
    file = tmp_path / "spec.yaml"
    file.write_text(text(PLAIN, noise="{process: ./noisy.py}"))
    assert not reports_likelihood(file)
    assert warned(file) == ["X355"]


@pytest.mark.parametrize("loss", ["cross_entropy", "[cross_entropy: {weight: elbo}]"])
def test_times_of_a_custom_file_have_no_bound(loss, tmp_path):
    """As the objective, or as a bound of its own."""
    (tmp_path / "mine.py").write_text(shipped("time", "iid", "mine"))
    file = tmp_path / "spec.yaml"
    for time, likely in (("iid", True), ("./mine.py", False)):
        file.write_text(text(noise=f"{{process: mask, time: {time}}}", loss=loss))
        assert reports_likelihood(file) == likely
        assert warned(file) == ([] if likely else ["X354"])
    assert b"log_likelihood_bound" not in render(plan_of(file))["method/objective.py"]


def test_a_bound_needs_a_loss_for_each_target_that_has_an_elbo_weight(tmp_path):
    """The control declares the weight of the target that the spec has."""
    one = '"masked_tokens": "elbo_weight"'
    for more, likely in ((one, True), (f'{one}, "gap_tokens": "elbo_weight"', False)):
        file = named(tmp_path, "process", "mask", one, more)
        assert reports_likelihood(file) == likely


def test_a_loss_that_is_no_term_of_the_bound_is_weighed_as_one_likes(tmp_path):
    """The control claims to be one."""
    (tmp_path / "mine.py").write_text(shipped("loss", "cross_entropy", "mine"))
    file = tmp_path / "spec.yaml"
    file.write_text(text(loss="[cross_entropy: {weight: elbo}, ./mine.py]"))
    assert warned(file) == ["X352"]
    source = shipped("loss", "cross_entropy", "mine").replace("ELBO_TERM = True\n", "")
    (tmp_path / "mine.py").write_text(source)
    assert warned(file) == []
    assert not reports_likelihood(file)


def test_a_loss_that_is_no_term_of_the_bound_is_no_matter_of_a_drawn_stop(tmp_path):
    aux = shipped("loss", "stop_cross_entropy", "mine")
    file = tmp_path / "spec.yaml"
    losses = INSERTED["loss"][:-1] + ", ./mine.py]"
    file.write_text(text(INSERTED, loss=losses))
    for source, codes in ((aux, {"X351", "X352"}), (aux.replace("ELBO_TERM = True\n", ""), set())):
        (tmp_path / "mine.py").write_text(source)
        assert {*warned(file)} == codes


@pytest.mark.parametrize(("stop", "codes"), [("drawn", ["X351"]), ("threshold", [])])
def test_class_weights_of_the_stop_loss_are_no_posterior_to_draw_from(stop, codes, tmp_path):
    losses = INSERTED["loss"].replace("stop_cross_entropy", "weighted_stop_cross_entropy")
    file = tmp_path / "spec.yaml"
    file.write_text(text(INSERTED, loss=losses, sampler=f"{{kind: insertion, stop: {stop}}}"))
    assert warned(file) == codes
