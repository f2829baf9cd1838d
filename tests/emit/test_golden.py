"""generated/ and the schema are what the compiler makes today; templates only list."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from code_blocks import blocks
from jinja2 import nodes
from methods import MASKED, ROOT, text

from xlm_spec import __version__
from xlm_spec.compiler.emit import templates
from xlm_spec.compiler.emit.render import environment, render
from xlm_spec.compiler.emit.state import ANSWERS
from xlm_spec.compiler.frontend.schema import schema
from xlm_spec.compiler.plan import answers_of, plan_of
from xlm_spec.refresh.verified_section import BEGIN, END, code_hash, without_results

SPECS = sorted((ROOT / "specs").glob("*.yaml"))
NOT_TIGHT = {"dfm", "editflows_noise", "editflows_pairs", "insertion_tree", "levenshtein"}  # a
# looser bound, or none


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_generated_is_a_fresh_build(spec):
    for path, data in render(plan_of(spec)).items():
        there = (ROOT / "generated" / spec.stem / path).read_bytes()
        if path == "README.md":
            there = without_results(there)
        assert there == data, path


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_the_readme_lists_verified_laws_of_this_code(spec):
    """`make regen` records it; this test detects a failed law and changed code."""
    folder = ROOT / "generated" / spec.stem
    section = (folder / "README.md").read_text().partition(BEGIN)[2].partition(END)[0]
    assert f"Verified with xlm-spec {__version__} and torch " in section
    assert f"`{code_hash(folder)}`. Laws: " in section
    assert " failed" not in section
    assert " silent" not in section
    tight = "| the bound equals the entropy at its minimiser | held |" in section
    assert tight == (spec.stem not in NOT_TIGHT)


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_generated_holds_nothing_else(spec):
    folder = ROOT / "generated" / spec.stem
    listed = subprocess.run(
        ["git", "ls-files", "."], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(listed) <= set(render(plan_of(spec)))


def test_every_generated_package_has_a_spec():
    packages = {p.name for p in (ROOT / "generated").iterdir() if (p / "spec.yaml").exists()}
    assert packages == {s.stem for s in SPECS}


def test_the_schema_is_fresh():
    assert json.loads((ROOT / "xlm_spec" / "spec.schema.json").read_text()) == schema()


GLUE = [t for t in templates.live() if t.startswith("package/")]
PYTHON = [t for t in GLUE if t.endswith(".py.jinja")]


@pytest.mark.parametrize("template", PYTHON)
def test_templates_of_python_only_list(template):
    """No If, no CondExpr, no arithmetic in the Jinja syntax tree."""
    tree = environment(()).parse(templates.live()[template])
    for kind in (nodes.If, nodes.CondExpr, nodes.BinExpr, nodes.UnaryExpr):
        assert not list(tree.find_all(kind)), f"{kind.__name__} in {template}"


@pytest.mark.parametrize("template", GLUE)
def test_no_template_decides(template):
    tree = environment(()).parse(templates.live()[template])
    assert not list(tree.find_all((nodes.If, nodes.CondExpr)))


def test_control_the_syntax_tree_shows_an_if():
    env = environment(())
    assert list(env.parse("{% if x %}1{% endif %}").find_all(nodes.If))
    assert list(env.parse("{{ 1 if x else 2 }}").find_all(nodes.CondExpr))


def test_the_plan_holds_no_floats():
    """YAML readers disagree on 1e-05; numbers are text in the plan."""

    def floats(node):
        if isinstance(node, dict):
            return [f for v in node.values() for f in floats(v)]
        if isinstance(node, list):
            return [f for v in node for f in floats(v)]
        return [node] if isinstance(node, float) else []

    for spec in SPECS:
        assert floats(json.loads(answers_of(spec))) == []


@pytest.mark.slow
def test_copier_renders_the_same_bytes(tmp_path):
    """Plain copier, from the templates as they travel and the plan that `lower` prints."""
    from copier import run_copy

    source = tmp_path / "templates"
    for path, content in templates.live().items():
        file = source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8", newline="\n")
    odd = tmp_path / "odd.yaml"
    title = "'a \U0001f642 and \U0001d6fc {{ 7 * 7 }} {% raw %} {# x #}'"
    odd.write_text(text(MASKED, name="odd", title=title, paper=title))
    guide = (ROOT / "docs" / "guides" / "component.md").read_text()
    own = tmp_path / "window.yaml"  # with a component of its own, whose text is in the plan
    own.write_text(blocks(guide, "yaml")[0])
    (tmp_path / "window_mask.py").write_text(blocks(guide, "python")[0])
    for spec in [*SPECS, odd, own]:
        plan = plan_of(spec)
        into = tmp_path / spec.stem
        run_copy(str(source), into, data=json.loads(answers_of(spec)), quiet=True)
        made = {p.relative_to(into).as_posix(): p for p in into.rglob("*") if p.is_file()}
        files = render(plan)
        assert set(made) == set(files)
        for path, data in files.items():
            if path != ANSWERS:  # copier knows no version of a bare folder
                assert made[path].read_bytes() == data, path
        shutil.rmtree(into)


@pytest.mark.parametrize("tool", [["check"], ["format", "--check"]], ids=" ".join)
def test_generated_code_is_clean(tool):
    """Rendered as ruff lays it out, though nothing formats it."""
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run(
        [ruff, *tool, "--no-cache", "generated"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_two_builds_are_byte_identical():
    plan = plan_of(SPECS[0])
    assert render(plan) == render(plan_of(SPECS[0]))
