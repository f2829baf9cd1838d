"""Laws before training: what ships keeps them, and whatever is broken breaks one.

The table of docs/_results/mutants.md says which; here each mutant is held to that law alone.
"""

import json
import random
import re
import subprocess
import sys

import pytest
import torch
from breaking import built, first_broken, method, patched
from making import MASKED, PLAIN, ROOT, text
from mutants import MUTANTS, SPECS
from random_specs import drawn, whole
from showing import blocks

from xlm_spec import __version__
from xlm_spec.compiler.build import build
from xlm_spec.compiler.check import check
from xlm_spec.compiler.components import values
from xlm_spec.compiler.form.load import parse
from xlm_spec.compiler.form.validate import validate
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh.recorded import BEGIN, END, code_of
from xlm_spec.refresh.status import status
from xlm_spec.workbench import verify

TABLE = (ROOT / "docs" / "_results" / "mutants.md").read_text()
NOTICED = {
    cells[0]: cells[2]
    for line in TABLE.splitlines()[4:]
    if len(cells := [c.strip() for c in line.strip("|").split("|")]) == 5
}


def statuses(target):
    return {r.status for r in verify(str(target)).results}


def test_the_table_has_every_mutant():
    assert list(NOTICED) == [m.name for m in MUTANTS]
    assert len(MUTANTS) >= 40


def test_the_differential_table_has_every_loss_and_weight():
    """The law itself runs above and in laws/test_bounds.py; here: is the page whole?"""
    table = (ROOT / "docs" / "_results" / "differential.md").read_text().splitlines()[4:]
    rows = [[c.strip(" `") for c in line.strip("|").split("|")] for line in table]
    assert {r[0] for r in rows} == set(values("loss"))
    assert {r[1] for r in rows} == set(values("weight"))
    assert all(float(r[3]) <= 1e-6 < float(r[4]) for r in rows)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_breaks_its_law(mutant, tmp_path):
    folder = built(mutant.spec, tmp_path)
    assert first_broken(folder, NOTICED[mutant.name]) is None  # unharmed, it keeps it
    patched(mutant, folder)
    assert first_broken(folder, NOTICED[mutant.name]) is not None


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_not_broken_keeps_every_law(spec, tmp_path):
    assert first_broken(built(spec, tmp_path)) is None


@pytest.mark.parametrize("name", ["arlm", "ilm", "ilm_levels", "mdlm_exact"])
def test_packages_hold_themselves_to_the_laws(name, tmp_path):
    """With torch and pytest alone."""
    closed = ("lightning", "xlm_spec", "numpy", "datasets")
    script = f"import sys\nfor m in {closed}: sys.modules[m] = None\nimport pytest\n"
    script += "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'tests/test_laws.py']))"
    folder = build(ROOT / "specs" / f"{name}.yaml", tmp_path).folder
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d+ passed", done.stdout)


def test_insertion_as_published_is_warned_of():
    """families.md F4: training finds another network than its bound asks for."""
    found = [r for r in verify(str(ROOT / "specs" / "ilm.yaml")).results if r.status == "warned"]
    assert [r.law for r in found] == ["training finds what the bound asks for"]
    assert 0.005 < found[0].figure.value < 0.05


def test_a_composition_that_fits_and_breaks_a_law(tmp_path):
    """Drawn stops and the published, unweighted loss: every check passes, samples are short."""
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
    assert "with the exact network a sampler follows the data" in failed


def test_a_component_of_ones_own_is_held_to_the_laws_that_apply(tmp_path):
    guide = (ROOT / "docs" / "guides" / "component.md").read_text()
    (tmp_path / "window.yaml").write_text(blocks(guide, "yaml")[0])
    (tmp_path / "window_mask.py").write_text(blocks(guide, "python")[0])
    found = verify(str(tmp_path / "window.yaml"))
    assert found.sound
    by_law = {r.law: r for r in found.results}
    assert by_law["with the exact network a sampler follows the data"].status == "held"
    unknown = by_law["sets of hidden tokens follow their law"]
    assert (unknown.status, unknown.why) == (
        "n/a",
        "its process chooses by itself what is hidden",
    )
    (tmp_path / "window_mask.py").write_text(
        blocks(guide, "python")[0].replace("x.valid & ~x.fixed", "x.valid")
    )
    assert not verify(str(tmp_path / "window.yaml")).sound


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spec", ["masked", "inserted", "left to right"])
def test_the_world_has_every_text_and_reads_what_it_lays_out(spec, seed, tmp_path):
    w = method(built(spec, tmp_path)).world(seed)
    assert abs(float(w.p.sum()) - 1) < 1e-12
    assert float(w.p.min()) > 0
    assert {len(x) for x in w.texts} == {0, 1, 2, 3}
    tokens, valid = w.rows()
    assert torch.equal(w.counts(tokens, valid)[:-1], torch.ones(len(w.texts)).double())


@pytest.mark.parametrize("seed", range(4))
def test_methods_that_nobody_thought_of_keep_every_law(seed, tmp_path):
    """Drawn from the components; without those that the compiler warns of."""
    rng = random.Random(seed)
    while True:
        spec = whole(drawn(rng), "method")
        try:
            if not check(validate(parse(spec.encode()))):
                break
        except Failed:
            continue
    (tmp_path / "method.yaml").write_text(spec)
    found = verify(str(tmp_path / "method.yaml"))
    told = [r.line() for r in found.results if r.status in ("failed", "silent")]
    assert told == [], spec


def run(*words, cwd):
    command = [sys.executable, "-m", "xlm_spec", "verify", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def test_the_command(tmp_path):
    (tmp_path / "method.yaml").write_text(text(MASKED))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    done = run("method.yaml", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    first = done.stdout.splitlines()
    assert re.fullmatch(r"method\.yaml: \d+ held, \d+ n/a \([\d.]+ s\)", first[0])
    assert first[1].startswith("  held      alpha falls from 1 to where it ends: 0 <= 1e-06")
    told = json.loads(run("--json", "method.yaml", cwd=tmp_path).stdout)
    assert told[0]["sound"]
    assert {law["status"] for law in told[0]["laws"]} == {"held", "n/a"}
    assert run("--quiet", "method.yaml", cwd=tmp_path).stdout.splitlines()[1:] == []
    noise = folder / "method" / "noise.py"
    noise.write_text(noise.read_text().replace("-schedule.dalpha(t)", "-2 * schedule.dalpha(t)"))
    done = run("--quiet", folder, cwd=tmp_path)
    assert done.returncode == 1
    told = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert "failed" in told
    assert not told & {"held", "n/a"}
    assert "  failed    the bound is the entropy at its minimiser: " in done.stdout
    noise.write_text("<<<<<<< yours\n")
    done = run(folder, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[X411]: the package can't be imported: SyntaxError")
    assert run(tmp_path, cwd=tmp_path).stderr.startswith("error[X410]")
    assert torch.get_num_threads() == 1


def test_a_package_says_in_its_readme_what_was_verified(tmp_path):
    """Between two lines; a build keeps it, and a second record replaces it."""
    spec = tmp_path / "method.yaml"
    spec.write_text(text(MASKED))
    folder = build(spec, tmp_path / "out").folder
    readme = folder / "README.md"
    fresh = readme.read_text()
    assert "Nobody has recorded a verification yet." in fresh
    done = run("--record", "--quiet", folder, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [f"  recorded in {readme}"]
    told = readme.read_text()
    assert re.search(rf"With xlm-spec {re.escape(__version__)} and torch [\d.]+, of the code", told)
    assert "| with any network every step follows its enumerated law | held: ancestral |" in told
    assert "| the likelihood of every text is exact | does not apply: it is a bound |" in told
    assert told.partition(BEGIN)[0] == fresh.partition(BEGIN)[0]
    assert told.partition(END)[2] == fresh.partition(END)[2]
    code = code_of(folder)
    assert f"`{code}`: " in told

    spec.write_text(text(MASKED).replace("rotary", "{kind: rotary, layers: 3}"))
    build(spec, tmp_path / "out")
    assert readme.read_text() == told  # of the code as it was: the build changed it
    assert code_of(folder) != code
    assert [d.code for d in status(folder).warnings] == ["X414"]
    assert run("--record", folder, cwd=tmp_path).returncode == 0
    assert f"`{code_of(folder)}`: " in readme.read_text()
    assert status(folder).warnings == ()

    noise = folder / "method" / "noise.py"
    noise.write_text(noise.read_text().replace("-schedule.dalpha(t)", "-2 * schedule.dalpha(t)"))
    assert run("--record", folder, cwd=tmp_path).returncode == 1
    assert "| the bound is the entropy at its minimiser | failed |" in readme.read_text()


def test_a_record_needs_its_place(tmp_path):
    (tmp_path / "method.yaml").write_text(text(PLAIN))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    readme = folder / "README.md"
    kept = readme.read_text().replace(END, "")
    readme.write_text(kept)
    done = run("--record", folder, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error[X413]: the README has no place for what was verified")
    assert readme.read_text() == kept
    done = run("--record", "method.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "--record is for packages" in done.stderr


def test_a_count_of_ones_own_is_verified_the_same_way(tmp_path):
    """With its `likelihood` by sums, without it by draws; a rate that is a tenth off is noticed."""
    guide = (ROOT / "docs" / "guides" / "verify.md").read_text()
    count = next(b for b in blocks(guide, "python") if "number_of_sets" in b)
    start, end = count.index("def likelihood"), count.index("def return_rate")
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
        [figures[name]] = [r for r in found if r.law == "the bound is the entropy at its minimiser"]
    assert [r.status for r in figures.values()] == ["held", "held", "failed"]
    assert figures["stated"].figure.most < 1e-4 < figures["unstated"].figure.most < 0.2


@pytest.mark.parametrize("spec", ["mdlm", "ilm"])
def test_a_package_of_an_earlier_release_is_verified_as_far_as_it_goes(spec, tmp_path):
    """Its counts stated no `likelihood`."""
    folder = build(ROOT / "specs" / f"{spec}.yaml", tmp_path).folder
    noise = folder / spec / "noise.py"
    source = noise.read_text()
    start = source.index("def likelihood")
    noise.write_text(source[:start] + source[source.index("def ", start + 4) :])
    assert statuses(folder) == {"held", "n/a"}


@pytest.mark.parametrize("file", ["__init__", "objective"])
def test_a_package_that_leaves_python_is_not_sound(file, tmp_path):
    """`raise SystemExit(0)`, when imported or when trained, is no success."""
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


def test_a_package_that_lacks_what_every_package_has_is_told_so(tmp_path):
    (tmp_path / "method.yaml").write_text(text(MASKED))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    config = folder / "method" / "config.py"
    config.write_text(config.read_text().replace("def small(", "def tiny("))
    done = run(folder, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[X411]: the package lacks what every package has")
    answers = folder / ".copier-answers.yml"
    answers.write_text('# made\n{"ir": {"name": "method"}}')
    assert run(folder, cwd=tmp_path).stderr.startswith("error[X410]")


JUMPS = """
def likelihood(x: Examples, chosen: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    n, k = (x.valid & ~x.fixed).sum(1, keepdim=True), chosen.sum(1, keepdim=True)
    now = (1 + (n * (1 - schedule.alpha(t))).floor()).clamp(max=n)
    return (k == now) / number_of_sets(n, k)


"""


def test_a_likelihood_that_jumps_in_time_is_not_integrated(tmp_path):
    """What can't be summed is drawn; its sets are held to it all the same."""
    count = (ROOT / "templates/components/count/exact.py").read_text()
    start, end = count.index("def likelihood"), count.index("def return_rate")
    (tmp_path / "own.py").write_text(count[:start] + JUMPS.lstrip() + count[end:])
    (tmp_path / "method.yaml").write_text(text(noise="{process: mask, count: ./own.py}"))
    found = {r.law: r for r in verify(str(tmp_path / "method.yaml")).results}
    assert found["sets of hidden tokens follow their law"].status == "held"
    assert found["the bound is the entropy at its minimiser"].status == "held"
    assert found["the bound is the entropy at its minimiser"].figure.most > 0.01
    assert "jumps in time" in found["training finds what the bound asks for"].why


def test_a_likelihood_of_something_else_is_refused(tmp_path):
    count = (ROOT / "templates/components/count/uniform.py").read_text()
    (tmp_path / "own.py").write_text(count.replace("chosen: Tensor,", "t: Tensor,", 1))
    (tmp_path / "method.yaml").write_text(text(noise="{process: mask, count: ./own.py}"))
    with pytest.raises(Failed) as found:
        verify(str(tmp_path / "method.yaml"))
    [told] = found.value.diagnostics
    assert (told.code, told.hint) == ("X112", "`t` is none of them")
