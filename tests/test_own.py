"""Components in files of a spec's author: read as text, taken like those that ship, or refused."""

import importlib
import itertools
import math

import pytest
import torch
from making import ROOT, text
from showing import blocks

from xlm_spec.compiler.axes import SCHEDULE, cards
from xlm_spec.compiler.build import build
from xlm_spec.compiler.plan import plan_of
from xlm_spec.compiler.render import render
from xlm_spec.compiler.rules.formula import Formula
from xlm_spec.compiler.shown.explain import pages
from xlm_spec.diagnostics import Failed

GUIDE = (ROOT / "docs" / "guides" / "component.md").read_text()
WINDOW = blocks(GUIDE, "python")[0]
SPEC = blocks(GUIDE, "yaml")[0]
HALF = '''"""Half the rate."""

from torch import Tensor

COUNT = "return_rate"


def half(rate: Tensor) -> Tensor:
    """rate / 2, (B, 1)."""
    return rate / 2
'''


def told(file) -> list[str]:
    """`code line: message` of everything that is wrong."""
    with pytest.raises(Failed) as failed:
        plan_of(file)
    found = failed.value.diagnostics
    return [f"{d.code} {d.span.line + 1 if d.span else '-'}: {d.message}" for d in found]


def window(folder, old="", new=""):
    """The spec of the guide, beside its component, in which some text is another."""
    assert old in WINDOW
    (folder / "window_mask.py").write_text(WINDOW.replace(old, new, 1))
    (folder / "window.yaml").write_text(SPEC)
    return folder / "window.yaml"


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("t: Tensor", "noise: Tensor", "X201", "process `window_mask` reads `noise`"),
        ("masked: Tensor", "hidden_: Tensor", "X201", "reads `masked`"),
        ("def corrupt(", "def corrupt", "X110", "not Python: "),
        ('"""A span', "'unclosed", "X110", "not Python: "),
        ("import torch\n", "import numpy\n", "X113", "a package does not import `numpy`"),
        ("import torch\n", "from einops import rearrange\n", "X113", "not import `einops`"),
        ("import torch\n", "from torch import *\n", "X113", "`import *` hides what is used"),
        ("import torch\n", "from __future__ import annotations\n", "X113", "no `__future__`"),
        ("from ..types", "from .types", "X113", "`.types` is nothing that a package has"),
        ("from ..types", "from ..config", "X113", "`..config` is nothing that a package has"),
        ("Schedule, State", "Shedule, State", "X113", "`types` has no `Shedule`"),
        ("import Examples,", "import Examples as E,", "X113", "`Examples` goes by its own name"),
        ("least: int = 1", "least=1", "X111", "the parameter `least` has no type"),
        ("least: int = 1", "least: int", "X111", "the parameter `least` has a default"),
        ("least: int = 1", "least: int = 1.5", "X111", "a literal int"),
        ("least: int = 1", "least: int = max(1, 2)", "X111", "a literal int"),
        ("least: int = 1", "least: Tensor = 1", "X111", "is a Tensor, which a spec can't hold"),
        ("    *,\n    least: int = 1", "    least: int = 1", "X111", "a wire has no default"),
        (
            "    rng: Generator,\n    *,\n",
            "    *rng,\n",
            "X111",
            "`rng`: wires and parameters go by",
        ),
        ("class Noised", "print(1)\n\n\nclass Noised", "X111", "and runs nothing"),
        ("class Noised", "if True:\n    X = 1\n\n\nclass Noised", "X111", "and runs nothing"),
        ("class Noised", "SIZE = len('ab')\n\n\nclass Noised", "X111", "a constant is a literal"),
        ('"""A span of', '"A" + """A span of', "X111", "begins with a docstring"),
        ("def corrupt", "def prior(): ...\n\n\ndef corrupt", "X111", "`prior` is defined twice"),
        ("in [1, inf)", "in [one, inf)", "X111", "a range has two numbers"),
        ("in [1, inf)", "in [3, 2]", "X111", "a range has two numbers"),
        ("in [1, inf)", "in [2, inf)", "X111", "the default of `least`, 1, lies outside [2, inf)"),
        (
            "vocab: Vocab) -> State",
            "vocab: Vocab, *, least: int = 2) -> State",
            "X111",
            "`least` is declared in two ways",
        ),
        (
            "class Noised",
            "BOUND = 3\n\n\nclass Noised",
            "X112",
            "`BOUND` of a process is a mapping",
        ),
        ("least: int = 1", "least: int = {[]: 1}", "X111", "a literal int"),
        ("def prior(", "def start(", "X112", "a process has a function `prior`"),
        ("class Noised", "class Noisy", "X112", "a process has a class `Noised`"),
        ("    valid: Tensor  # (B, L)\n", "", "X112", "begins with `tokens` and `valid`"),
        (") -> Noised:", ") -> State:", "X112", "`corrupt` returns Noised"),
        (") -> State:", ") -> Tensor:", "X112", "`prior` returns a state"),
        (
            "class Noised",
            "class LinearSchedule: ...\n\n\nclass Noised",
            "X114",
            "schedule `linear`",
        ),
    ],
)
def test_what_is_wrong_with_a_process(old, new, code, message, tmp_path):
    found = told(window(tmp_path, old, new))
    assert [f for f in found if f.startswith(f"{code} ") and message in f], found


def test_all_that_is_wrong_is_told_at_its_line(tmp_path):
    wrong = WINDOW.replace("import torch\n", "import numpy\n").replace("least: int = 1", "least=1")
    (tmp_path / "window_mask.py").write_text(wrong)
    (tmp_path / "window.yaml").write_text(SPEC)
    with pytest.raises(Failed) as failed:
        plan_of(tmp_path / "window.yaml")
    lines = wrong.splitlines()
    assert [lines[d.span.line].strip() for d in failed.value.diagnostics] == [
        "import numpy",
        "least=1,  # fewest tokens of a span; in [1, inf)",
    ]
    assert {d.file for d in failed.value.diagnostics} == {str(tmp_path / "window_mask.py")}


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("./nowhere.py", "X109", "there is no file `./nowhere.py`"),
        (f"./{'a' * 300}.py", "X107", "a package can't carry a file called `aaa"),
        ("./random.py", "X107", "a package can't carry a file called `random.py`"),
        ("./conftest.py", "X107", "a package can't carry a file called `conftest.py`"),
        ("./mask.py", "X107", "`mask` is the name of one that ships already"),
        ("./Window.py", "X107", "`Window` is no name for a process"),
        ("./lambda.py", "X107", "`lambda` is no name for a process"),
        ("./hidden.py", "X107", "a name that the package's own code needs"),
        ("./sum.py", "X107", "a name that the package's own code needs"),
        ("./window_mask", "X105", "`./window_mask` is not one of its values"),
    ],
)
def test_a_path_that_leads_to_no_component(value, code, message, tmp_path):
    file = window(tmp_path)
    file.write_text(SPEC.replace("./window_mask.py", value))
    assert [f for f in told(file) if f.startswith(f"{code} ") and message in f]


def test_a_file_of_another_kind_is_told_what_it_lacks(tmp_path):
    """The process as a schedule, as a target, as a backbone."""
    (tmp_path / "window_mask.py").write_text(WINDOW)
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(noise="{process: mask, schedule: ./window_mask.py}"))
    assert "X112 1: a schedule is a frozen dataclass; its fields are parameters" in told(spec)
    spec.write_text(text(target="[./window_mask.py]"))
    assert "X112 1: a target has a function `window_mask`" in told(spec)
    spec.write_text(text(backbone="./window_mask.py"))
    assert "X112 1: a backbone has a class `Backbone`" in told(spec)


def test_a_weight_names_what_the_count_knows(tmp_path):
    """A count of one's own without `return_rate` has no rate to weigh with."""
    count = (ROOT / "templates/components/count/uniform.py").read_text()
    (tmp_path / "plain.py").write_text(count[: count.index("\n\ndef return_rate")])
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(noise="{process: mask, count: ./plain.py}"))
    assert "X301" in told(spec)[0]
    spec.write_text(text(noise="{process: mask, count: ./plain.py}", loss="cross_entropy"))
    assert b"def choose" in render(plan_of(spec))["method/noise.py"]


def test_a_weight_says_what_it_weighs_with(tmp_path):
    """Else it would be left out without a word."""
    (tmp_path / "half.py").write_text(HALF.replace('COUNT = "return_rate"\n', ""))
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(loss="[cross_entropy: {weight: ./half.py}]"))
    assert told(spec)[0].startswith("X112 1: a weight has a constant `COUNT`")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "        direction: str,\n",
            "        direction: str,\n        depth: int,\n",
            "is called with",
        ),
        ("self, tokens: Tensor, valid", "self, tokens: Tensor, mask: Tensor, valid", "called with"),
        ("        width: int = 768,", "        breadth: int = 768,", "has a parameter `width`"),
        ("SMALL = ", "TINY = ", "has a constant `SMALL`"),
        ("def forward(", "def forwards(", "has a method `forward`"),
    ],
)
def test_a_backbone_that_can_not_be_made(old, new, message, tmp_path):
    shipped = (ROOT / "templates" / "components" / "backbone" / "rotary.py").read_text()
    assert old in shipped
    (tmp_path / "mine.py").write_text(shipped.replace(old, new, 1))
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(backbone="./mine.py"))
    assert any(message in f for f in told(spec))
    (tmp_path / "mine.py").write_text(shipped)
    assert b"class Backbone" in render(plan_of(spec))["method/model.py"]


def test_parameters_of_a_file_are_checked_like_any(tmp_path):
    file = window(tmp_path)
    file.write_text(SPEC.replace("least: 2", "lest: 2"))
    assert told(file) == ["X102 6: unknown key `lest` in `noise.process`"]
    file.write_text(SPEC.replace("least: 2", "least: 0"))
    assert told(file) == ["X106 6: `noise.process.least` = 0 lies outside [1, inf)"]


def test_an_item_of_a_list_a_rule_and_a_weight(tmp_path):
    """Each of them lands in the package as it stands in its file."""
    shipped = ROOT / "templates" / "components"
    loss = (shipped / "loss/cross_entropy.py").read_text().replace("cross_entropy", "surprise")
    loss = loss.replace("F.surprise", "F.cross_entropy")
    (tmp_path / "surprise.py").write_text(loss)
    (tmp_path / "half.py").write_text(HALF)
    rule = (shipped / "sites/random.py").read_text().replace("class Random", "class Anywhere")
    (tmp_path / "anywhere.py").write_text(rule)
    file = tmp_path / "spec.yaml"
    sampler = "{kind: fixed_budget, sites: ./anywhere.py}"
    file.write_text(text(loss="[./surprise.py: {weight: ./half.py}]", sampler=sampler))
    files = render(plan_of(file))
    assert b"def surprise(" in files["method/loss.py"]
    assert b"return rate / 2" in files["method/loss.py"]
    assert b"class Anywhere" in files["method/rules.py"]
    assert b"surprise(model, hidden, target)" in files["method/objective.py"]


def test_nothing_of_a_file_runs_and_jinja_does_not_read_it(tmp_path):
    """What would be a template, and what would raise, is copied as it stands."""
    trap = "least: int = 1,  # {{ 7 * 7 }} {% raise %}; in [1, inf)"
    file = window(tmp_path, "least: int = 1,  # fewest tokens of a span; in [1, inf)", trap)
    body = (tmp_path / "window_mask.py").read_text()
    (tmp_path / "window_mask.py").write_text(
        body.replace("    free = x", "    1 / 0\n    free = x", 1)
    )
    files = render(plan_of(file))
    assert trap.encode() in files["window/noise.py"]
    assert b"1 / 0" in files["window/noise.py"]


def test_a_changed_file_changes_the_package(tmp_path):
    file = window(tmp_path)
    build(file, tmp_path / "out")
    assert not build(file, tmp_path / "out", check_only=True).stale
    window(tmp_path, "each place alike", "each place as likely")
    assert build(file, tmp_path / "out").stale
    noise = tmp_path / "out" / "window" / "window" / "noise.py"
    assert "each place as likely" in noise.read_text()


def test_windows_line_ends_and_a_mark_are_read(tmp_path):
    file = window(tmp_path)
    plain = render(plan_of(file))
    raw = b"\xef\xbb\xbf" + WINDOW.replace("\n", "\r\n").encode()
    (tmp_path / "window_mask.py").write_bytes(raw)
    assert render(plan_of(file)) == plain


@pytest.mark.parametrize("raw", [b"\xff", b"\0", b"x = " + b"(" * 5000, b"#" * (1 << 19)])
def test_what_is_no_text_ends_in_a_diagnostic(raw, tmp_path):
    file = window(tmp_path)
    (tmp_path / "window_mask.py").write_bytes(raw)
    assert told(file)[0][:4] in ("X109", "X110", "X111")


SQUARED = blocks(pages()["X308"], "python")[1]


def scheduled(folder, old="", new=""):
    assert old in SQUARED
    (folder / "squared.py").write_text(SQUARED.replace(old, new, 1))
    spec = folder / "spec.yaml"
    spec.write_text(text(noise="{process: mask, schedule: ./squared.py}"))
    return spec


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return 1 - t**2", "return t**2", "alpha(0) is not 1"),
        ("return 1 - t**2", "return 1 - t + t * t", "alpha(t) rises"),
        ("return 1 - t**2", "return 1 - 2 * t", "alpha(t) leaves [0, 1]"),
        ("return 1 - t**2", "return 1 / (t - t)", "alpha(t) has no value"),
        ("return 1 - t**2", "return torch.sqrt(t - 2)", "alpha(t) has no value"),
        (
            "return 1 - t**2",
            "return self.b\n\n    @property\n    def b(self):\n        return 2.0",
            "(0)",
        ),
        ("-2 * t", "2 * t", "`dalpha` is not the derivative"),
        ("** 0.5", "** 2", "`inverse` is not the inverse"),
    ],
)
def test_a_schedule_that_does_not_fall(old, new, message, tmp_path):
    found = told(scheduled(tmp_path, old, new))
    assert found[0].startswith("X308")
    assert any(message in f for f in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("return 1 - t**2", "u = t * t\n        return 1 - u"),  # a step in between
        ("return 1 - t**2", "return torch.where(t > 0.5, t, t)"),  # not worked out
    ],
)
def test_control_a_schedule_that_falls_or_is_not_understood(old, new, tmp_path):
    plan_of(scheduled(tmp_path, old, new))


@pytest.mark.parametrize("value", cards(SCHEDULE))
def test_formulas_are_worked_out_as_torch_does(value):
    """From the text of each schedule that ships, at its ranges' corners too."""
    component = cards(SCHEDULE)[value]
    shipped = importlib.import_module(f"components.schedule.{value}")
    ends = [
        [p.default, *(e for e in (p.range.low, p.range.high) if e in p.range and math.isfinite(e))]
        for p in component.parameters
    ]
    for numbers in itertools.product(*ends):
        given = dict(zip((p.name for p in component.parameters), numbers, strict=True))
        formula = Formula(component.definitions[component.object].node, given)
        real = getattr(shipped, component.object)(**given)
        for name in ("alpha", "dalpha", "inverse"):
            for t in (0.1, 0.5, 0.9):
                exact = getattr(real, name)(torch.tensor(t, dtype=torch.float64)).item()
                assert formula(name, t) == pytest.approx(exact, rel=1e-9, abs=1e-12)
