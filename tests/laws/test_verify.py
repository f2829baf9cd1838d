"""`xlm-spec verify`: shipped methods keep all laws, and every mutant breaks one.

The table docs/_results/mutants.md has the law that detects each mutant, which is tested here.
"""

import contextlib
import json
import random
import re
import subprocess
import sys

import pytest
import torch
from broken_packages import built, first_broken, method, patched
from click.testing import CliRunner
from code_blocks import blocks
from methods import MASKED, PLAIN, ROOT, text
from mutants import MUTANTS, SPECS
from random_specs import drawn, whole

from xlm_spec import __version__
from xlm_spec.cli import cli
from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import values
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh.status import status
from xlm_spec.refresh.verified_section import BEGIN, END, code_hash
from xlm_spec.workbench import verify
from xlm_spec.workbench.verified import record

pytestmark = pytest.mark.slow

TABLE = (ROOT / "docs" / "_results" / "mutants.md").read_text()
DETECTED = {
    cells[0]: cells[2]
    for line in TABLE.splitlines()[4:]
    if len(cells := [c.strip() for c in line.strip("|").split("|")]) == 5
}


def statuses(target):
    return {r.status for r in verify(str(target)).results}


def test_the_table_has_every_mutant():
    assert list(DETECTED) == [m.name for m in MUTANTS]
    assert len(MUTANTS) >= 40


def test_the_differential_table_has_every_loss_and_weight():
    """The law itself is tested above and in laws/test_bounds.py."""
    table = (ROOT / "docs" / "_results" / "differential.md").read_text().splitlines()[4:]
    rows = [[c.strip(" `") for c in line.strip("|").split("|")] for line in table]
    assert {r[0] for r in rows} == set(values("loss"))
    assert {r[1] for r in rows} == set(values("weight"))
    assert all(float(r[3]) <= 1e-6 < float(r[4]) for r in rows)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_breaks_its_law(mutant, tmp_path):
    """The correct package of its spec keeps it (below)."""
    folder = built(mutant.spec, tmp_path)
    patched(mutant, folder)
    assert first_broken(folder, DETECTED[mutant.name]) is not None


@pytest.mark.parametrize("spec", SPECS)
def test_a_correct_package_keeps_every_law(spec, tmp_path):
    assert first_broken(built(spec, tmp_path)) is None


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


@pytest.mark.parametrize("name", ["ilm", "mdlm_exact"])
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


@pytest.mark.parametrize("seed", range(5))
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


def run(*words, cwd):
    """The command in this process, so that it trains no model (conftest.py).

    The guide on `verify` runs it in its own process, with all laws.
    """
    with contextlib.chdir(cwd):
        return CliRunner().invoke(cli, ["verify", *map(str, words)])


def test_the_command(tmp_path):
    (tmp_path / "method.yaml").write_text(text(MASKED))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    report = verify(str(folder))
    first = report.text(quiet=False).splitlines()
    assert re.fullmatch(r"\S+: \d+ held, \d+ n/a \([\d.]+ s\)", first[0])
    assert first[1].startswith(
        '  claim: bound: proved by "the bound equals the entropy at its minim'
    )
    assert first[2].startswith(
        "  claim: exact sampler ancestral, with steps = 512, not 8: proved by "
    )
    assert "  held      alpha decreases from 1: 0 <= 1e-06, control 1" in first
    assert report.text(quiet=True).splitlines()[1:] == []
    done = run("--json", "method.yaml", cwd=tmp_path)
    assert done.exit_code == 0, done.stdout
    output = json.loads(done.stdout)
    assert output[0]["sound"]
    assert [c["verdict"] for c in output[0]["claims"]] == ["proved", "proved"]
    assert {law["status"] for law in output[0]["laws"]} == {"held", "n/a"}
    noise = folder / "method" / "noise.py"
    noise.write_text(noise.read_text().replace("-schedule.dalpha(t)", "-2 * schedule.dalpha(t)"))
    done = run("--quiet", folder, cwd=tmp_path)
    assert done.exit_code == 1
    printed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert "failed" in printed
    assert not printed & {"held", "n/a"}
    assert "  claim: bound: refuted by" in done.stdout
    assert "  failed    the bound equals the entropy at its minimiser: " in done.stdout
    noise.write_text("<<<<<<< yours\n")
    done = run(folder, cwd=tmp_path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error[X411]: the package can't be imported: SyntaxError")
    assert run(tmp_path, cwd=tmp_path).stderr.startswith("error[X410]")
    assert torch.get_num_threads() == 1


def test_the_readme_of_a_package_contains_the_verified_laws(tmp_path):
    """Between two comments; a build keeps the section, and a second record replaces it."""
    spec = tmp_path / "method.yaml"
    spec.write_text(text(MASKED))
    folder = build(spec, tmp_path / "out").folder
    readme = folder / "README.md"
    fresh = readme.read_text()
    assert "No verification is recorded yet." in fresh
    done = run("--record", "--quiet", folder, cwd=tmp_path)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == [f"  recorded in {readme}"]
    recorded = readme.read_text()
    assert re.search(
        rf"Verified with xlm-spec {re.escape(__version__)} and torch [\d.]+; the SHA", recorded
    )
    assert (
        "| with any model every step follows its enumerated distribution | held: ancestral |"
        in recorded
    )
    exact = "the likelihood of every sequence is exact"
    assert f"| {exact} | not applicable: the method has no exact likelihood |" in recorded
    assert recorded.partition(BEGIN)[0] == fresh.partition(BEGIN)[0]
    assert recorded.partition(END)[2] == fresh.partition(END)[2]
    code = code_hash(folder)
    assert f"`{code}`. Laws: " in recorded
    assert '\nClaims:\n\n- bound: proved by "the bound equals' in recorded

    spec.write_text(text(MASKED).replace("rotary", "{kind: rotary, layers: 3}"))
    build(spec, tmp_path / "out")
    assert readme.read_text() == recorded  # of the previous code, which the build changed
    assert code_hash(folder) != code
    assert [d.code for d in status(folder).warnings] == ["X414"]
    record(verify(str(folder)), folder)
    assert f"`{code_hash(folder)}`. Laws: " in readme.read_text()
    assert status(folder).warnings == ()
    bound, sampler = status(folder).as_json()["claims"]
    assert bound.startswith('bound: proved by "the bound equals')
    assert sampler.startswith("exact sampler ancestral, with steps = 512, not 8: proved by ")

    noise = folder / "method" / "noise.py"
    noise.write_text(noise.read_text().replace("-schedule.dalpha(t)", "-2 * schedule.dalpha(t)"))
    record(verify(str(folder)), folder)
    assert "| the bound equals the entropy at its minimiser | failed |" in readme.read_text()


def test_a_record_is_of_the_code_that_was_verified(tmp_path):
    """Not of code that changed in the meantime; line endings stay as they are."""
    (tmp_path / "method.yaml").write_text(text(PLAIN))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    readme = folder / "README.md"
    readme.write_bytes(readme.read_bytes().replace(b"\n", b"\r\n"))
    done = verify(str(folder))
    record(done, folder)
    recorded = readme.read_bytes()
    assert recorded.count(b"\n") == recorded.count(b"\r\n") > 100
    assert status(folder).as_json()["claims"]
    (folder / "method" / "more").mkdir()
    (folder / "method" / "more" / "code.py").write_text("")
    assert [d.code for d in status(folder).warnings] == ["X414"]
    with pytest.raises(Failed, match="the code of the package changed while it was verified"):
        record(done, folder)
    assert readme.read_bytes() == recorded


def test_a_record_needs_its_section(tmp_path):
    (tmp_path / "method.yaml").write_text(text(PLAIN))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    readme = folder / "README.md"
    text_before = readme.read_text().replace(END, "")
    readme.write_text(text_before)
    done = run("--record", folder, cwd=tmp_path)
    assert done.exit_code == 1
    assert done.stderr.startswith("error[X413]: the README has no section for verified laws")
    assert readme.read_text() == text_before
    done = run("--record", "method.yaml", cwd=tmp_path)
    assert done.exit_code == 2
    assert "--record writes into the README" in done.stderr


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


@pytest.mark.parametrize("spec", ["mdlm", "ilm"])
def test_a_package_of_an_earlier_release_is_verified_in_part(spec, tmp_path):
    """Its counts have no `likelihood`: their sets are not verified."""
    folder = build(ROOT / "specs" / f"{spec}.yaml", tmp_path).folder
    noise = folder / spec / "noise.py"
    source = noise.read_text()
    start = source.index("def likelihood")
    noise.write_text(source[:start] + source[source.index("def ", start + 4) :])
    assert statuses(folder) == {"held", "n/a", "unverified"}


@pytest.mark.parametrize("file", ["__init__", "objective"])
def test_a_package_that_exits_is_not_sound(file, tmp_path):
    """`raise SystemExit(0)`, on import or in the objective, is a failure."""
    (tmp_path / "method.yaml").write_text(text(MASKED))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    module = folder / "method" / f"{file}.py"
    source = module.read_text()
    if file == "objective":
        source = source.replace("    vocab = config.vocab\n", "    raise SystemExit(0)\n", 1)
        module.write_text(source)
        assert "failed" in statuses(folder)
    else:
        module.write_text(source + "\nraise SystemExit(0)\n")
        with pytest.raises(Failed):
            verify(str(folder))


def test_an_incomplete_package_is_an_error(tmp_path):
    (tmp_path / "method.yaml").write_text(text(MASKED))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    config = folder / "method" / "config.py"
    config.write_text(config.read_text().replace("def small(", "def tiny("))
    done = run(folder, cwd=tmp_path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error[X411]: the package is incomplete")
    answers = folder / ".copier-answers.yml"
    answers.write_text('# made\n{"ir": {"name": "method"}}')
    assert run(folder, cwd=tmp_path).stderr.startswith("error[X410]")


STEP_FUNCTION = """
def likelihood(x: Examples, corrupted: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    n, k = (x.valid & ~x.fixed).sum(1, keepdim=True), corrupted.sum(1, keepdim=True)
    now = (1 + (n * (1 - schedule.alpha(t))).floor()).clamp(max=n)
    return (k == now) / number_of_sets(n, k)


"""


def test_a_likelihood_that_is_a_step_function_is_not_integrated(tmp_path):
    """The bound is estimated from samples; the sets are tested all the same."""
    count = (ROOT / "templates/components/count/exact.py").read_text()
    start, end = count.index("def likelihood"), count.index("def elbo_weight")
    (tmp_path / "own.py").write_text(count[:start] + STEP_FUNCTION.lstrip() + count[end:])
    (tmp_path / "method.yaml").write_text(text(noise="{process: mask, count: ./own.py}"))
    found = {r.law: r for r in verify(str(tmp_path / "method.yaml")).results}
    assert found["sets of corrupted tokens follow their distribution"].status == "held"
    assert found["the bound equals the entropy at its minimiser"].status == "held"
    assert found["the bound equals the entropy at its minimiser"].figure.most > 0.01
    assert "step function" in found["the objective has the same minimiser as the bound"].why


def test_a_likelihood_with_wrong_arguments_is_an_error(tmp_path):
    count = (ROOT / "templates/components/count/uniform.py").read_text()
    (tmp_path / "own.py").write_text(count.replace("corrupted: Tensor,", "t: Tensor,", 1))
    (tmp_path / "method.yaml").write_text(text(noise="{process: mask, count: ./own.py}"))
    with pytest.raises(Failed) as found:
        verify(str(tmp_path / "method.yaml"))
    [error] = found.value.diagnostics
    assert (error.code, error.message) == ("X112", "`likelihood` must not require `t`")
