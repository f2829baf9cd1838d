"""`verify` of packages that are incomplete, old, or whose likelihood cannot be tested."""

import pytest
from methods import MASKED, ROOT, text
from verify_runs import run, statuses

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.workbench import verify

pytestmark = pytest.mark.slow


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
