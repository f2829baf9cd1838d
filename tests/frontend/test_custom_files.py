"""Custom components are read as text, compiled like shipped ones, or rejected with reasons."""

import pytest
from code_blocks import blocks
from custom_files import HALF, messages, warned
from methods import ROOT, text
from shipped_components import shipped

from xlm_spec.compiler.build import build
from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed

GUIDE = (ROOT / "docs" / "guides" / "component.md").read_text()
WINDOW = blocks(GUIDE, "python")[0]
SPEC = blocks(GUIDE, "yaml")[0]


def window(folder, old="", new=""):
    """The spec of the guide, beside its component, in which some text is another."""
    assert old in WINDOW
    (folder / "window_mask.py").write_text(WINDOW.replace(old, new, 1))
    (folder / "window.yaml").write_text(SPEC)
    return folder / "window.yaml"


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("t: Tensor", "noise: Tensor, t: Tensor", "X201", "process `window_mask` requires `noise`"),
        ("masked: Tensor", "hidden_: Tensor", "X201", "requires `masked`"),
        ("def corrupt(", "def corrupt", "X110", "invalid Python: "),
        ('"""A span', "'unclosed", "X110", "invalid Python: "),
        ("import torch\n", "import numpy\n", "X113", "a package cannot import `numpy`"),
        ("import torch\n", "from einops import rearrange\n", "X113", "cannot import `einops`"),
        ("import torch\n", "from torch import *\n", "X113", "`import *` is not allowed"),
        (
            "import torch\n",
            "from __future__ import annotations\n",
            "X113",
            "`__future__` imports are not allowed",
        ),
        ("from ..types", "from .types", "X113", "a package has no module `.types`"),
        ("from ..types", "from ..config", "X113", "a package has no module `..config`"),
        ("Schedule, State", "Shedule, State", "X113", "module `..types` does not define `Shedule`"),
        ("import Examples,", "import Examples as E,", "X113", "`Examples` must not be renamed"),
        ("least: int = 1", "least=1", "X111", "parameter `least` has no type"),
        (
            "least: int = 1",
            "least: int",
            "X111",
            "the default of parameter `least` must be a literal",
        ),
        ("least: int = 1", "least: int = 1.5", "X111", "a literal of type int"),
        ("least: int = 1", "least: int = max(1, 2)", "X111", "a literal of type int"),
        (
            "least: int = 1",
            "least: Tensor = 1",
            "X111",
            "has type Tensor, which a spec cannot contain",
        ),
        (
            "    *,\n    least: int = 1",
            "    least: int = 1",
            "X111",
            "a positional argument must not have a default",
        ),
        (
            "    rng: Generator,\n    *,\n",
            "    *rng,\n",
            "X111",
            "argument `rng` cannot be passed by its name",
        ),
        ("class Noised", "print(1)\n\n\nclass Noised", "X111", "contains only imports"),
        ("class Noised", "if True:\n    X = 1\n\n\nclass Noised", "X111", "contains only imports"),
        (
            "class Noised",
            "SIZE = len('ab')\n\n\nclass Noised",
            "X111",
            "a constant must be a literal",
        ),
        ('"""A span of', '"A" + """A span of', "X111", "must start with a docstring"),
        ("def corrupt", "def prior(): ...\n\n\ndef corrupt", "X111", "`prior` is defined twice"),
        ("in [1, inf)", "in [one, inf)", "X117", "parameter `least`: a range has two numbers"),
        ("in [1, inf)", "in [3, 2]", "X117", "the first number of a range must be the lower"),
        (
            "in [1, inf)",
            "in [2, inf)",
            "X117",
            "default 1 of parameter `least` is outside its range [2",
        ),
        (
            "class Noised",
            "SIZE: int = 3\n\n\nclass Noised",
            "X111",
            "constant `SIZE` must not have a type",
        ),
        ("class Noised", "A = 1\nA = 2\n\n\nclass Noised", "X111", "`A` is defined twice"),
        (
            "vocab: Vocab) -> State",
            "vocab: Vocab, *, least: int = 2) -> State",
            "X111",
            "parameter `least` has two different declarations",
        ),
        (
            "class Noised",
            "ELBO_WEIGHTS = 3\n\n\nclass Noised",
            "X116",
            "`ELBO_WEIGHTS` must be a mapping from targets to functions of the count or of",
        ),
        ("least: int = 1", "least: int = {[]: 1}", "X111", "a literal of type int"),
        ("def prior(", "def start(", "X112", "a process must define a function `prior`"),
        ("class Noised", "class Noisy", "X112", "a process must define a class `Noised`"),
        ("    valid: Tensor  # (B, L)\n", "", "X112", "must have fields `tokens` and `valid`"),
        (") -> Noised:", ") -> State:", "X112", "`corrupt` must return `Noised`, not `State`"),
        (") -> State:", ") -> Tensor:", "X112", "`prior` must return a state"),
        (
            "class Noised",
            "class LinearSchedule: ...\n\n\nclass Noised",
            "X114",
            "schedule `linear`",
        ),
    ],
)
def test_what_is_wrong_with_a_process(old, new, code, message, tmp_path):
    found = messages(window(tmp_path, old, new))
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
        ("./nowhere.py", "X109", "file `./nowhere.py` does not exist"),
        (f"./{'a' * 300}.py", "X107", "is longer than 60 characters"),
        ("./random.py", "X107", "`random` is the name of another Python module"),
        ("./conftest.py", "X107", "`conftest` is the name of another Python module"),
        ("./mask.py", "X107", "`mask` is already the name of a shipped component"),
        ("./Window.py", "X107", "`Window` is not a valid name for a process"),
        ("./lambda.py", "X107", "`lambda` is not a valid name for a process"),
        ("./hidden.py", "X107", "is a name in the generated code"),
        ("./sum.py", "X107", "is a name in the generated code"),
        ("./window_mask", "X105", "invalid value `./window_mask`"),
    ],
)
def test_a_path_that_leads_to_no_component(value, code, message, tmp_path):
    file = window(tmp_path)
    file.write_text(SPEC.replace("./window_mask.py", value))
    assert [f for f in messages(file) if f.startswith(f"{code} ") and message in f]


def test_a_file_of_another_kind_is_told_what_it_lacks(tmp_path):
    """The process as a schedule, as a target, as a backbone."""
    (tmp_path / "window_mask.py").write_text(WINDOW)
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(noise="{process: mask, schedule: ./window_mask.py}"))
    lacks = "a schedule must define a frozen dataclass, whose fields are parameters"
    assert f"X112 1: {lacks}" in messages(spec)
    spec.write_text(text(target="[./window_mask.py]"))
    assert "X112 1: a target must define a function `window_mask`" in messages(spec)
    spec.write_text(text(backbone="./window_mask.py"))
    assert "X112 1: a backbone must define a class `Backbone`" in messages(spec)


def test_a_weight_names_what_the_count_knows(tmp_path):
    """A count of one's own without `elbo_weight` has no rate to weigh with."""
    count = (ROOT / "templates/components/count/uniform.py").read_text()
    (tmp_path / "plain.py").write_text(count[: count.index("\n\ndef likelihood")])
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(noise="{process: mask, count: ./plain.py}"))
    assert "X301" in messages(spec)[0]
    spec.write_text(text(noise="{process: mask, count: ./plain.py}", loss="cross_entropy"))
    assert b"def select_tokens" in render(plan_of(spec))["method/noise.py"]


def test_a_weight_says_what_it_weighs_with(tmp_path):
    """Else it would be left out without a word."""
    (tmp_path / "half.py").write_text(HALF.replace('COUNT = "elbo_weight"\n', ""))
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(loss="[cross_entropy: {weight: ./half.py}]"))
    assert messages(spec)[0].startswith("X116 1: a weight must declare `ELBO_WEIGHT`")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "        direction: str,\n",
            "        direction: str,\n        depth: Tensor,\n",
            "must not require `depth`",
        ),
        (
            "self, tokens: Tensor, valid",
            "self, tokens: Tensor, mask: Tensor, valid",
            "must be `tokens` and `valid`",
        ),
        (
            "read: Tensor | None = None)",
            "read: Tensor | None = None, *, depth: int = 2)",
            "must not have a parameter `depth`",
        ),
        (
            "        width: int = 768,",
            "        breadth: int = 768,",
            "must have a parameter `width`",
        ),
        ("SMALL = ", "TINY = ", "must declare `SMALL`"),
        ("def forward(", "def forwards(", "must define a method `forward`"),
    ],
)
def test_a_backbone_that_can_not_be_made(old, new, message, tmp_path):
    shipped = (ROOT / "templates" / "components" / "backbone" / "rotary.py").read_text()
    assert old in shipped
    (tmp_path / "mine.py").write_text(shipped.replace(old, new, 1))
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(backbone="./mine.py"))
    assert any(message in f for f in messages(spec))
    (tmp_path / "mine.py").write_text(shipped)
    assert b"class Backbone" in render(plan_of(spec))["method/model.py"]


def test_parameters_of_a_file_are_checked_like_any(tmp_path):
    file = window(tmp_path)
    file.write_text(SPEC.replace("least: 2", "lest: 2"))
    assert messages(file) == ["X102 6: unknown key `lest` in `noise.process`"]
    file.write_text(SPEC.replace("least: 2", "least: 0"))
    assert messages(file) == ["X106 6: `noise.process.least` = 0 is outside [1, inf)"]


def test_an_item_of_a_list_a_rule_and_a_weight(tmp_path):
    """Each of them lands in the package as it stands in its file."""
    shipped = ROOT / "templates" / "components"
    loss = (shipped / "loss/cross_entropy.py").read_text().replace("cross_entropy", "surprise")
    loss = loss.replace("F.surprise", "F.cross_entropy")
    (tmp_path / "surprise.py").write_text(loss)
    (tmp_path / "half.py").write_text(HALF)
    rule = (shipped / "order/random.py").read_text().replace("class Random", "class Anywhere")
    (tmp_path / "anywhere.py").write_text(rule)
    file = tmp_path / "spec.yaml"
    sampler = "{kind: fixed_budget, order: ./anywhere.py}"
    file.write_text(text(loss="[./surprise.py: {weight: ./half.py}]", sampler=sampler))
    files = render(plan_of(file))
    assert b"def surprise(" in files["method/loss.py"]
    assert b"return rate / 2" in files["method/loss.py"]
    assert b"class Anywhere" in files["method/rules.py"]
    assert b"surprise(model, hidden, target)" in files["method/objective.py"]


def test_a_file_beside_another_target_in_one_mapping(tmp_path):
    stop = (ROOT / "templates/components/target/stop.py").read_text()
    (tmp_path / "complete.py").write_text(stop.replace("def stop(", "def complete("))
    file = tmp_path / "spec.yaml"
    file.write_text(text(target="{masked_tokens: {}, ./complete.py: {}}"))
    with pytest.raises(Failed) as failed:
        plan_of(file)
    [d] = failed.value.diagnostics
    assert (d.code, d.hint) == ("X104", "write a list: `[masked_tokens: …, ./complete.py: …]`")


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
    window(tmp_path, "at a random position", "at a uniform random position")
    assert build(file, tmp_path / "out").stale
    noise = tmp_path / "out" / "window" / "window" / "noise.py"
    assert "at a uniform random position" in noise.read_text()


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
    assert messages(file)[0][:4] in ("X109", "X110", "X111")


def with_state_of_its_own(folder, valid: str, data: str = ""):
    """Process `mask` and a sampler, whose state has another name than that of others."""
    state = "class Held(NamedTuple):\n    tokens: Tensor\n    valid: Tensor\n    fixed: Tensor\n"
    process = (
        shipped("process", "mask", "mask").replace("State", "Held").replace(", Held, V", ", V")
    )
    process = process.replace("x.valid.clone()", valid).replace(
        "class Noised", f"{state}\n\nclass Noised"
    )
    (folder / "masking.py").write_text(process)
    sampler = shipped("sampler", "first_hitting", "").replace("State", "Held")
    sampler = sampler.replace(", Held, V", ", V").replace(
        "import Iterator\n", "import Iterator\nfrom typing import NamedTuple\n", 1
    )
    sampler = sampler.replace("EXACT_AT = {}  # at any values", f"\n{state}")
    (folder / "hitting.py").write_text(sampler)
    parts = {"noise": "{process: ./masking.py}", "sampler": "./hitting.py"}
    (folder / "spec.yaml").write_text(text(**parts, **({"data": data} if data else {})))
    return folder / "spec.yaml"


@pytest.mark.parametrize(
    ("valid", "data", "fill", "codes"),
    [
        ("x.valid.clone()", "", "eos", []),
        ("x.valid", "", "eos", []),
        ("x.valid & x.fixed", "", "none", ["X112"]),
        ("x.valid & x.fixed", "{fill: none}", "none", []),
        ("x.valid & x.fixed", "{fill: eos}", "eos", []),
        ("x.valid", "{fill: none}", "none", []),
    ],
)
def test_answers_are_filled_as_the_state_of_a_custom_process_wants(
    valid, data, fill, codes, tmp_path
):
    """Whatever its name."""
    file = with_state_of_its_own(tmp_path, valid, data)
    assert warned(file) == codes
    plan = plan_of(file)
    assert plan.inferred["fill"] == fill
    assert plan.experiment["DATA"]["fill"] == f'"{fill}"'
    assert ("eos" in plan.inferred["needs"]) == (fill == "eos")
