"""`xlm-spec verify`: shipped methods keep all laws, and every mutant breaks one.

The table docs/_results/mutants.md has the law that detects each mutant, which is tested here.
"""

import random
import re
import subprocess
import sys

import pytest
import torch
from broken_packages import built, first_broken, method, patched
from code_blocks import blocks
from methods import ROOT, text
from mutants import MUTANTS, SHIPPED, SPECS
from random_specs import drawn, whole
from scheduling import shares

from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import values
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.diagnostics import Failed
from xlm_spec.workbench import verify

pytestmark = pytest.mark.slow

TABLE = (ROOT / "docs" / "_results" / "mutants.md").read_text()
DETECTED = {
    cells[0]: cells[2]
    for line in TABLE.splitlines()[4:]
    if len(cells := [c.strip() for c in line.strip("|").split("|")]) == 5
}


def test_the_table_has_every_mutant():
    assert list(DETECTED) == [m.name for m in MUTANTS]
    assert len(MUTANTS) >= 40


def test_the_differential_table_has_every_loss_and_weight():
    """The law itself is tested above and in laws/test_bounds.py."""
    table = (ROOT / "docs" / "_results" / "differential.md").read_text().splitlines()[4:]
    rows = [[c.strip(" `") for c in line.strip("|").split("|")] for line in table]
    growing = {"count_divergence", "per_gap_cross_entropy", "share_cross_entropy"}  # in `verify`
    growing |= {"joint_cross_entropy", "delete_divergence", "substitute_divergence"}
    growing |= {"tree_cross_entropy"}  # laws/test_gap_shares.py
    rolled_in = {"placeholder_cross_entropy", "delete_cross_entropy"}  # laws/test_levenshtein.py
    assert {r[0] for r in rows} == set(values("loss")) - growing - rolled_in
    assert {r[1] for r in rows} == set(values("weight"))
    assert all(float(r[3]) <= 1e-6 < float(r[4]) for r in rows)


@pytest.mark.parametrize("spec", sorted({m.spec for m in MUTANTS}))
def test_every_mutant_still_changes_its_package(spec, tmp_path):
    """Also those whose laws the suite does not test: a change of a component may remove a text."""
    folder = built(spec, tmp_path)
    for mutant in [m for m in MUTANTS if m.spec == spec]:
        file = folder / "method" / f"{mutant.file}.py"
        source = file.read_text()
        patched(mutant, folder)
        file.write_text(source)


@pytest.mark.parametrize("mutant", shares(MUTANTS, 9), ids=lambda m: m.name)
def test_a_mutant_breaks_its_law(mutant, tmp_path):
    """The correct package of its spec keeps it (below). `benchmarks.mutants` tries every law."""
    folder = built(mutant.spec, tmp_path)
    patched(mutant, folder)
    assert first_broken(folder, DETECTED[mutant.name]) is not None


@pytest.mark.parametrize("spec", [s for s in SPECS if s not in SHIPPED])
def test_a_correct_package_keeps_the_laws_that_its_mutants_break(spec, tmp_path, request):
    """With `--full` every law. The recorded packages in generated/ keep every law."""
    folder = built(spec, tmp_path)
    broken = sorted({DETECTED[m.name] for m in MUTANTS if m.spec == spec})
    for law in [""] if request.config.getoption("--full") else broken:
        assert first_broken(folder, law) is None


BESIDES_TORCH = ("lightning", "torchmetrics", "datasets", "click", "jinja2", "copier")


def output_of_pytest(folder, closed) -> str:
    """The output of the law tests of a package if some modules are not installed."""
    script = f"import sys\nfor m in {closed}: sys.modules[m] = None\nimport pytest\n"
    script += "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'tests/test_laws.py']))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode in (0, 5), done.stdout  # 5: the only file is skipped
    return done.stdout


@pytest.mark.parametrize("name", shares(["ilm", "mdlm_exact"], 2))
def test_the_tests_of_a_package_test_its_laws(name, tmp_path):
    """With torch, pytest and the laws only; without the laws the file is skipped."""
    folder = build(ROOT / "specs" / f"{name}.yaml", tmp_path).folder
    assert re.search(r"\d+ passed", output_of_pytest(folder, (*BESIDES_TORCH, "xlm_spec.compiler")))
    assert "1 skipped" in output_of_pytest(folder, (*BESIDES_TORCH, "xlm_spec"))


def test_published_insertion_gives_a_warning():
    """The minimisers of the objective and of the bound differ."""
    warned = [r for r in verify(str(ROOT / "specs" / "ilm.yaml")).results if r.status == "warned"]
    assert [r.law for r in warned] == ["the objective has the same minimiser as the bound"]
    assert 0.005 < warned[0].figure.value < 0.05


def test_a_method_that_compiles_and_breaks_a_law(tmp_path):
    """Sampled stops with the published, unweighted loss: samples are too short."""
    parts = {
        "noise": "{process: drop, count: uniform}",
        "target": "[gap_tokens, stop]",
        "loss": "[gap_cross_entropy, stop_cross_entropy]",
        "sampler": "{kind: insertion, stop: drawn}",
    }
    (tmp_path / "method.yaml").write_text(text(parts))
    done = verify(str(tmp_path / "method.yaml"))
    assert not done.sound
    failed = {r.law for r in done.results if r.status == "failed"}
    assert "with the exact model the sampler follows the data distribution" in failed


def test_a_custom_component_without_a_law_is_tested_with_the_general_laws(tmp_path):
    """Laws that need its law file are unverified (with one: test_law_files.py)."""
    guide = (ROOT / "docs" / "guides" / "component.md").read_text()
    (tmp_path / "window.yaml").write_text(blocks(guide, "yaml")[0])
    (tmp_path / "window_mask.py").write_text(blocks(guide, "python")[0])
    found = verify(str(tmp_path / "window.yaml"))
    assert not found.broken
    by_law = {r.law: r for r in found.results}
    assert any("process window_mask (no window_mask_law.py" in r.why for r in found.results)
    assert by_law["samplers never change fixed tokens"].status == "held"
    for law in (
        "with the exact model the sampler follows the data distribution",
        "sets of corrupted tokens follow their distribution",
    ):
        assert by_law[law].status == "unverified"
    (tmp_path / "window_mask.py").write_text(
        blocks(guide, "python")[0].replace("x.valid & ~x.fixed", "x.valid")
    )
    assert verify(str(tmp_path / "window.yaml")).broken


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spec", ["masked", "insertion", "left to right"])
def test_the_toy_distribution_has_all_sequences_and_decodes_its_encoding(spec, seed, tmp_path):
    w = method(built(spec, tmp_path)).toy_distribution(seed)
    assert abs(float(w.p.sum()) - 1) < 1e-12
    assert float(w.p.min()) > 0
    assert {len(x) for x in w.sequences} == {0, 1, 2, 3}
    tokens, valid = w.batch()
    assert torch.equal(w.counts(tokens, valid)[:-1], torch.ones(len(w.sequences)).double())


@pytest.mark.parametrize("seed", shares(range(5), 4))
def test_random_methods_keep_every_law(seed, tmp_path):
    """Random combinations of components, without those with a warning of the compiler."""
    rng = random.Random(seed)
    while True:
        spec = whole(drawn(rng), "method")
        try:
            if not check(compose(validate(parse(spec.encode())))):
                break
        except Failed:
            continue
    (tmp_path / "method.yaml").write_text(spec)
    found = verify(str(tmp_path / "method.yaml"))
    broken = [r.line() for r in found.results if r.broken]
    assert broken == [], spec


def test_a_custom_count_is_verified_in_the_same_way(tmp_path):
    """With `likelihood` by sums, without it by samples; a weight that is 10% off is detected."""
    guide = (ROOT / "docs" / "guides" / "verify.md").read_text()
    count = next(b for b in blocks(guide, "python") if "number_of_sets" in b)
    start, end = count.index("def likelihood"), count.index("def elbo_weight")
    unstated = (count[:start] + count[end:]).replace("from ..ops import number_of_sets\n", "")
    figures = {}
    for name, source in {
        "stated": count,
        "unstated": unstated,
        "wrong": unstated.replace("(2 * k**2)", "(2.2 * k**2)"),
    }.items():
        (tmp_path / "rising.py").write_text(source)
        (tmp_path / "method.yaml").write_text(text(noise="{process: mask, count: ./rising.py}"))
        found = verify(str(tmp_path / "method.yaml")).results
        [figures[name]] = [
            r for r in found if r.law == "the bound equals the entropy at its minimiser"
        ]
    assert [r.status for r in figures.values()] == ["held", "held", "failed"]
    assert figures["stated"].figure.most < 1e-4 < figures["unstated"].figure.most < 0.2
