"""Declarations of components are a closed table: a misspelt name or a wrong value is an error."""

import ast
import re

import pytest
from methods import ROOT
from shipped_components import named, shipped

from xlm_spec import ranges
from xlm_spec.compiler.axes import AXES, components_of
from xlm_spec.compiler.components import COMPONENTS, LAW, component, kind, read, values
from xlm_spec.compiler.declarations import COUNT, DECLARATIONS, ELBO_WEIGHTS, of_axis
from xlm_spec.compiler.declared_types import functions_of_counts
from xlm_spec.compiler.frontend.custom.declaration_checks import faults, near_misses
from xlm_spec.compiler.frontend.custom.range_checks import ranges_of
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed

FILES = sorted(
    p for p in COMPONENTS.rglob("*.py") if p.stem != "__init__" and not p.stem.endswith(LAW)
)
SHIPPED = [(p.parent.name, p.stem) for p in FILES if p.parent != COMPONENTS]
DECLARED = [
    (folder, value, name)
    for folder, value in SHIPPED
    for name in component(folder, value).constants
]


def text_of(folder: str, value: str) -> str:
    return (COMPONENTS / folder / f"{value}.py").read_text()


def found(source: str, folder: str, value: str) -> list[tuple[str, str, str]]:
    """What is wrong with the declarations of a component."""
    c = read(source, folder, value)
    return [*faults(c)] or [*near_misses(c, [*values("target")], functions_of_counts())]


@pytest.mark.parametrize(("folder", "value"), SHIPPED)
def test_every_shipped_component_declares_what_the_table_holds(folder, value):
    c = component(folder, value)
    assert found(text_of(folder, value), folder, value) == []
    assert {*c.constants} - {*c.definitions} <= {*of_axis(folder)}
    if folder == "process":
        assert {*ELBO_WEIGHTS.of(c)} <= {*values("target")}
        assert {*ELBO_WEIGHTS.of(c).values()} <= {*functions_of_counts(), *c.functions}
    if folder == "weight":
        assert COUNT.of(c) in ("", *functions_of_counts())


def test_every_declaration_is_declared_by_a_shipped_component():
    """Or by a component of tests/families."""
    custom = "".join(p.read_text() for p in (ROOT / "tests" / "families").glob("*/*.py"))
    found = {name for _, _, name in DECLARED} | {*re.findall(r"^([A-Z_]+) = ", custom, re.M)}
    assert {d.name for d in DECLARATIONS} == found


@pytest.mark.parametrize(("folder", "value", "name"), DECLARED)
def test_a_misspelt_name_is_an_error(folder, value, name):
    for wrong in (name[:-1], name[1] + name[0] + name[2:], name.lower(), f"{name}S"):
        source = re.sub(rf"^{name} = ", f"{wrong} = ", text_of(folder, value), flags=re.M)
        hints = [hint for n, _, hint in found(source, folder, value) if n == wrong]
        assert len(hints) == 1
        assert f"did you mean `{name}`?" in hints[0]


@pytest.mark.parametrize(("folder", "value", "name"), DECLARED)
def test_a_wrong_type_or_a_misspelt_value_is_an_error(folder, value, name):
    wrong = [3.5, [], None, {3: 4}, *misspelt(component(folder, value).constants[name])]
    for given in wrong:
        source = declaring(text_of(folder, value), name, given)
        assert [n for n, _, _ in found(source, folder, value)][:1] == [name], given


def misspelt(value: object) -> list[object]:
    """The same value with one word cut short, or one number as text."""
    if isinstance(value, str):
        return [value[:-1], f"{value}s"]
    if isinstance(value, bool):
        return ["True", int(value)]
    if isinstance(value, dict):
        keys = [{(k[:-1] if k == key else k): v for k, v in value.items()} for key in value]
        changed = [(k, v[:-1] if isinstance(v, str) else "x") for k, v in value.items()]
        return [*keys, *(value | {k: v} for k, v in changed)]
    if isinstance(value, tuple):
        return [tuple(w[:-1] if w == word else w for w in value) for word in value]
    raise AssertionError(value)


def declaring(source: str, name: str, value: object) -> str:
    """A component with this declaration, in place of the one that it has."""
    without = re.sub(rf"^{name} = (\{{\n(    .*\n)*\}}|.*)\n", "", source, flags=re.M)
    return f"{without}\n\n{name} = {value!r}\n"


@pytest.mark.parametrize(("folder", "value"), SHIPPED)
def test_a_declaration_of_another_axis_is_an_error(folder, value):
    for d in DECLARATIONS:
        source = f"{text_of(folder, value)}\n\n{d.name} = {d.example}\n"
        if folder in d.folders:
            continue
        [(name, message, hint)] = found(source, folder, value)
        assert name == d.name
        assert f"not a declaration of {kind(folder)}" in message
        assert d.folders[0] in hint


def test_numbers_lie_in_the_range_of_their_parameter():
    source = text_of("sampler", "ancestral")
    for given, ok in ((512, True), (0, False), (1.5, False), (True, False)):
        assert (
            found(declaring(source, "EXACT_AT", {"steps": given}), "sampler", "ancestral") == []
        ) == ok


def test_a_loss_is_a_term_or_names_one():
    source = text_of("loss", "gap_cross_entropy")
    [(name, message, _)] = found(f"{source}\n\nELBO_TERM = True\n", "loss", "gap_cross_entropy")
    assert (name, "cannot declare both" in message) == ("ELBO_LOSS", True)
    for other in ("cross_entropy", "gap_cross_entropy"):  # on another target; no term itself
        assert found(declaring(source, "ELBO_LOSS", other), "loss", "gap_cross_entropy")


# ---- in files of a spec's author -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("axis", "value", "old", "new", "message", "hint"),
    [
        ("target", "next_token", '"causal"', '"casual"', 'must be "causal" or', "`causal`?"),
        ("target", "next_token", "ATTENTION", "ATENTION", "not a declaration of", "`ATTENTION`?"),
        ("target", "next_token", '"causal"', "True", "not True", "allowed: causal, bidirectional"),
        ("loss", "cross_entropy", "ELBO_TERM", "ELBO_TERMS", "of a loss", "`ELBO_TERM`?"),
        ("loss", "cross_entropy", "True", '"yes"', "must be True or False", "ELBO_TERM = True"),
        (
            "loss",
            "cross_entropy",
            "ELBO_TERM",
            "BUOND",
            "of a loss",
            "ELBO_TERM, ELBO_ALONE, ELBO_LOSS",
        ),
        (
            "weight",
            "elbo_clipped",
            "ELBO_WEIGHT",
            "ATTENTION = True\nELBO_WEIGHT",
            "of a weight",
            "belongs to: target",
        ),
        ("weight", "elbo_clipped", "ELBO_WEIGHT", "ELBO_WEIGHTS", "of a weight", "`ELBO_WEIGHT`?"),
        ("weight", "elbo_clipped", "True", '"yes"', "must be True or False", "ELBO_WEIGHT = True"),
        ("backbone", "rotary", "EVEN", "EVENS", "of a backbone", "`EVEN`?"),
        ("backbone", "rotary", '{"layers": 2', '{"layer": 2', "not a parameter", "`layers`?"),
        ("backbone", "rotary", '{"layers": 2', '{"layers": 0', "must be int in [1, inf)", ""),
        ("backbone", "rotary", '"heads"}', '"dropout"}', "which is not an int", "heads"),
        ("sampler", "ancestral", "EXACT_AT", "EXCAT_AT", "of a sampler", "`EXACT_AT`?"),
        ("sampler", "ancestral", "512", "'many'", "`steps` in `EXACT_AT` must be int", ""),
        ("time", "iid", "import torch\n", "import torch\nSMALL = {}\n", "of a time", "backbone"),
        ("loss", "cross_entropy", "ELBO_TERM", "_ELBO_TERM", "of a loss", "`ELBO_TERM`?"),
        ("process", "mask", '"masked_tokens"', '"masked_token"', "names", "`masked_tokens`?"),
        ("process", "mask", '"elbo_weight"', '"elbo_weigh"', "names", "`elbo_weight`?"),
    ],
)
def test_a_wrong_declaration_is_told_at_its_line(axis, value, old, new, message, hint, tmp_path):
    file = named(tmp_path, axis, value, old, new)
    with pytest.raises(Failed) as failed:
        plan_of(file)
    [d] = failed.value.diagnostics
    assert (d.code, d.file) == ("X116", str(tmp_path / "mine.py"))
    assert message in d.message
    assert hint in d.hint
    line = (tmp_path / "mine.py").read_text().splitlines()[d.span.line]
    assert re.match(r"\w+ = ", line)


def test_a_declaration_is_a_constant(tmp_path):
    """Not a function of that name."""
    function = "def ATTENTION():\n    pass\n"
    file = named(tmp_path, "target", "next_token", 'ATTENTION = "causal"', function)
    with pytest.raises(Failed, match="`ATTENTION` must be a constant"):
        plan_of(file)


def test_a_name_that_is_near_to_none_may_be_of_another_spec(tmp_path):
    plan_of(named(tmp_path, "process", "mask", "= {", '= {"unheard_of": "unknown", '))


def test_a_name_of_another_file_of_the_spec_is_no_misspelling(tmp_path):
    """A count whose function is called nearly like a shipped one; the control has no such count."""
    file = named(tmp_path, "process", "mask", '"elbo_weight"', '"return_rates"')
    count = shipped("count", "bernoulli", "").replace("elbo_weight", "return_rates")
    (tmp_path / "counts.py").write_text(count)
    with pytest.raises(Failed):
        plan_of(file)
    spec = file.read_text().replace("./mine.py", "./mine.py, count: ./counts.py")
    file.write_text(spec.replace("{weight: elbo}", "{weight: one}"))
    plan_of(file)


# ---- ranges --------------------------------------------------------------------------------------

RANGED = [
    (a.folder, v)
    for a in AXES
    for v, c in components_of(a).items()
    if any(p.range for p in c.parameters)
]


@pytest.mark.parametrize("file", [*FILES, *(ROOT / "xlm_spec" / "runtime").rglob("*.py")], ids=str)
def test_every_shipped_range_is_read(file):
    source = file.read_text()
    assert [f[2] for f in ranges_of(ast.parse(source), source)] == []


@pytest.mark.parametrize(("folder", "value"), sorted(RANGED))
@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (r"; in ([\[(].*)[\])]$", r"; in \1"),
        (r"; in ([\[(]\S+), ", r"; in \1; "),
        (r"; in ([\[(]\S+), ", r"; in \1,"),
        (r"; in ([\[(])", r", in \1"),
        (r"; in [\[(](\S+), \S+[\])]$", r"; >= \1"),
        (r"; in [\[(](\S+), (\S+)[\])]$", r"; \1 < p <="),
        (r"; in [\[(](\S+), (\S+)[\])]$", r"; in \1..\2"),
        (r"; in [\[(](\S+), (\S+)[\])]$", r"; in [1e9, inf)"),
        (r"  # (.*; in )", r" # \1"),
    ],
)
def test_a_broken_range_is_an_error(folder, value, pattern, new):
    """In every line of every component that states one."""
    lines = text_of(folder, value).split("\n")
    stated = [i for i, line in enumerate(lines) if re.search(r"=.*  # .*; in [\[(]", line)]
    assert stated
    for i in stated:
        broken = [*lines[:i], re.sub(pattern, new, lines[i]), *lines[i + 1 :]]
        assert broken != lines
        source = "\n".join(broken)
        [(code, node, _, hint)] = ranges_of(ast.parse(source), source)
        assert (code, node.lineno) == ("X117", i + 1)
        assert hint


@pytest.mark.parametrize(
    "comment",
    [
        *("in [0, 1", "of p; in (0; 1)", ">= x", "0 < p <=", "in 0..1", "of p; in [0,1]", "> 0"),
        *("of p; in ]0, 1]", "of p; in {0, 1}", "of p; in [0, 1].", "of p; in [0, 1]; not 1"),
        *("of p; In [0, 1]", "a share; [0, 1]", "(0, 1]", "of p; in [one, 2)", "of p; in (0, ∞)"),
        *("0 <= p < 1", "of p; in 0 to 1", "0..1", "≥ 1", "of p; in [0", "lies in (0, 1)"),
        *("of p; in [3, 2]", "of p; in [one, two]", "in [1, inf)", "of p;in [0, 1]"),
        *("as a share of all; in [0, 1", "see [3]; in (0; 1)", "as a share in [0, 1]"),
    ],
)
def test_a_comment_that_looks_like_a_range_is_an_error(comment):
    assert ranges.fault(comment)


@pytest.mark.parametrize(
    "comment",
    [
        *(
            "",
            "tokens in (B, L) order",
            "number in each gap",
            "(B, L)",
            "t > s",
            "a -> b",
            "in nats",
        ),
        *("in (arXiv:2107.03006, 2021)", "as in [12, 13]", "see (3) in [4, 5]", "counts in [12]"),
        *(
            "0: none",
            "in nats",
            "0.1 in the paper, 0.3 here",
            "in 2 steps",
            "told in 2-3 words",
            "in [MASK]",
        ),
        *("from t = 1 to t = 0", "(B, L) -> (B, L)", "if p > 0 it is drawn", "of p; in [0, 1)"),
    ],
)
def test_control_an_ordinary_comment(comment):
    assert ranges.fault(comment) == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("token_shift: bool = False,  # add maps; in [0, 1]", "of type bool cannot have a range"),
        ('kind: str = "a",  # of maps; in [0, 1]', "of type str cannot have a range"),
        ("# of maps; in [0, 1]\n    share: float = 0.5,", "is in the wrong place"),
        ("share: float = (  # of maps\n        0.5  # in [0, 1]\n    ),", "is in the wrong place"),
        (
            "share: float = 2.0,  # of maps; in [0, 1]",
            "default 2.0 of parameter `share` is outside its range [0, 1]",
        ),
    ],
)
def test_a_range_that_bounds_nothing(line, message):
    source = f"def f(\n    *,\n    {line}\n):\n    pass\n"
    [(code, _, told, _)] = ranges_of(ast.parse(source), source)
    assert code == "X117"
    assert message in told


def test_control_shapes_of_a_named_tuple_are_no_parameters():
    source = "class Noised(NamedTuple):\n    keep: Tensor  # (B, L), in [0, 1\n"
    assert [*ranges_of(ast.parse(source), source)] == []
    source = source.replace("class Noised(NamedTuple)", "@dataclass\nclass Noised")
    assert [*ranges_of(ast.parse(source), source)] != []


@pytest.mark.parametrize(
    "comment", ["in [" + "1" * 200_000 + "x", "> " + " " * 200_000 + "!", "in [0 " * 40_000]
)
def test_long_comments_are_read_at_once(comment):
    ranges.fault(comment)
