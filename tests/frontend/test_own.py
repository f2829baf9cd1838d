"""Components in files of a spec's author: read as text, taken like those that ship, or refused."""

import ast
import importlib
import itertools
import math

import pytest
import torch
from code_blocks import blocks
from methods import INSERTED, PLAIN, ROOT, text
from methods import checked as in_memory
from shipped_components import named, shipped

from xlm_spec.compiler.axes import SCHEDULE, components_of
from xlm_spec.compiler.build import build
from xlm_spec.compiler.docs.explain import pages
from xlm_spec.compiler.emit.lower import lower
from xlm_spec.compiler.emit.objective import ARGUMENTS, FUNCTIONS, MADE, PLACES, is_variable
from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.members import MODULE_ATTRIBUTES
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.local_names import NUMBERED
from xlm_spec.compiler.middle.rules.formula import Formula
from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.diagnostics import Failed

GUIDE = (ROOT / "docs" / "guides" / "component.md").read_text()
WINDOW = blocks(GUIDE, "python")[0]
SPEC = blocks(GUIDE, "yaml")[0]
HALF = '''"""Half the rate."""

from torch import Tensor

COUNT = "elbo_weight"


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
    assert [f for f in told(file) if f.startswith(f"{code} ") and message in f]


def test_a_file_of_another_kind_is_told_what_it_lacks(tmp_path):
    """The process as a schedule, as a target, as a backbone."""
    (tmp_path / "window_mask.py").write_text(WINDOW)
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(noise="{process: mask, schedule: ./window_mask.py}"))
    assert "X112 1: a schedule must define a frozen dataclass, whose fields are parameters" in told(
        spec
    )
    spec.write_text(text(target="[./window_mask.py]"))
    assert "X112 1: a target must define a function `window_mask`" in told(spec)
    spec.write_text(text(backbone="./window_mask.py"))
    assert "X112 1: a backbone must define a class `Backbone`" in told(spec)


def test_a_weight_names_what_the_count_knows(tmp_path):
    """A count of one's own without `elbo_weight` has no rate to weigh with."""
    count = (ROOT / "templates/components/count/uniform.py").read_text()
    (tmp_path / "plain.py").write_text(count[: count.index("\n\ndef likelihood")])
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(noise="{process: mask, count: ./plain.py}"))
    assert "X301" in told(spec)[0]
    spec.write_text(text(noise="{process: mask, count: ./plain.py}", loss="cross_entropy"))
    assert b"def select_tokens" in render(plan_of(spec))["method/noise.py"]


def test_a_weight_says_what_it_weighs_with(tmp_path):
    """Else it would be left out without a word."""
    (tmp_path / "half.py").write_text(HALF.replace('COUNT = "elbo_weight"\n', ""))
    spec = tmp_path / "spec.yaml"
    spec.write_text(text(loss="[cross_entropy: {weight: ./half.py}]"))
    assert told(spec)[0].startswith("X116 1: a weight must declare `ELBO_WEIGHT`")


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
            "self, tokens: Tensor, valid: Tensor)",
            "self, tokens: Tensor, valid: Tensor, *, depth: int = 2)",
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
    assert any(message in f for f in told(spec))
    (tmp_path / "mine.py").write_text(shipped)
    assert b"class Backbone" in render(plan_of(spec))["method/model.py"]


def test_parameters_of_a_file_are_checked_like_any(tmp_path):
    file = window(tmp_path)
    file.write_text(SPEC.replace("least: 2", "lest: 2"))
    assert told(file) == ["X102 6: unknown key `lest` in `noise.process`"]
    file.write_text(SPEC.replace("least: 2", "least: 0"))
    assert told(file) == ["X106 6: `noise.process.least` = 0 is outside [1, inf)"]


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
    assert told(file)[0][:4] in ("X109", "X110", "X111")


SQUARED = blocks(pages()["X308"], "python")[1]


def scheduled(folder, old="", new=""):
    assert old in SQUARED
    source = SQUARED.replace("from torch", "import torch\nfrom torch", 1)
    (folder / "squared.py").write_text(source.replace(old, new, 1))
    spec = folder / "spec.yaml"
    spec.write_text(text(noise="{process: mask, schedule: ./squared.py}"))
    return spec


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return 1 - t**2", "return t**2", "alpha(0) must be 1"),
        ("return 1 - t**2", "return 1 - t + t * t", "alpha(t) must not increase"),
        ("return 1 - t**2", "return 1 - 1e-5 - t**2", "alpha(0) must be 1"),
        (
            "return 1 - t**2",
            "return 1 - 0.999 * t**2",
            "`PRIOR_AT = {}` declares that alpha(1) = 0",
        ),
        ("return 1 - t**2", "return 1 - 2 * t", "alpha(t) must be a probability"),
        ("return 1 - t**2", "return 1 / (t - t)", "alpha(t) is undefined"),
        ("return 1 - t**2", "return torch.sqrt(t - 2)", "alpha(t) is undefined"),
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


@pytest.mark.parametrize("value", sorted({*components_of(SCHEDULE)} - {"hybrid"}))  # it has a loop
def test_formulas_are_worked_out_as_torch_does(value):
    """From the text of each schedule that ships, at its ranges' corners too."""
    component = components_of(SCHEDULE)[value]
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


@pytest.mark.parametrize("name", ["SCALE", "_scale", "scale"])
def test_a_constant_that_the_file_reads_stands_in_the_package(name, tmp_path):
    file = named(tmp_path, "loss", "cross_entropy", "ELBO_TERM = True", f"{name} = 3.0  # of all")
    source = (tmp_path / "mine.py").read_text()
    source = source.replace("return scatter(nats,", f"return scatter({name} * nats,")
    (tmp_path / "mine.py").write_text(source)
    build(file, tmp_path)
    loss = (tmp_path / "method" / "method" / "loss.py").read_text()
    assert f"\n\n\n{name} = 3.0  # of all\n\n\ndef mine(" in loss


def warned(file) -> list[str]:
    return [d.code for d in checked(file)[1]]


def reports_likelihood(file) -> bool:
    return plan_of(file).inferred["likelihood"] != "none"


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


@pytest.mark.parametrize(
    ("new", "name"),
    [
        ("nats = nat(logits)", "nat"),
        ("nats = Nats(logits)", "Nats"),
        ("nats = sum(weigh(n) for n in logits)", "weigh"),
        ("nats = (lambda n: n + offset)(logits)", "offset"),
    ],
)
def test_a_name_that_is_not_defined(new, name, tmp_path):
    file = named(tmp_path, "loss", "cross_entropy", "ELBO_TERM = True", "ELBO_TERM = True")
    source = (tmp_path / "mine.py").read_text().splitlines()
    at = next(i for i, line in enumerate(source) if "nats = F." in line)
    source[at] = f"    {new}"
    (tmp_path / "mine.py").write_text("\n".join([*source[:at], f"    {new}", *source[at + 1 :]]))
    assert told(file) == [f"X115 {at + 1}: name `{name}` is not defined"]


def test_a_name_of_a_signature_that_is_not_defined(tmp_path):
    file = named(tmp_path, "loss", "cross_entropy", "hidden: Tensor", "hidden: Tensors")
    assert told(file)[0].endswith("name `Tensors` is not defined")


def test_an_import_inside_of_a_function_is_looked_at(tmp_path):
    for line, message in (
        ("import numpy", "a package cannot import `numpy`"),
        ("from ..ops import scatter", "relative imports are allowed only at the top of the file"),
    ):
        new = f"    {line}\n    logits = "
        file = named(tmp_path, "loss", "cross_entropy", "    logits = ", new)
        assert told(file)[0].endswith(message)
    named(tmp_path, "loss", "cross_entropy", "    logits = ", "    import math\n    logits = ")
    plan_of(file)


def test_what_only_a_compiler_sees_is_told(tmp_path):
    file = named(
        tmp_path, "loss", "cross_entropy", "    logits = ", "    nonlocal a\n    logits = "
    )
    assert told(file)[0].startswith("X110")


@pytest.mark.parametrize(
    ("axis", "value", "old", "new"),
    [
        (
            "loss",
            "cross_entropy",
            "model.token_logits",
            "model.survival(2.0, hidden) * model.token_logits",
        ),
        ("sampler", "ancestral", "draw(logits, rng)", "draw(model.survival(logits), rng)"),
        (
            "process",
            "mask",
            "x.tokens.masked_fill(corrupted",
            "model.survival(x).masked_fill(corrupted",
        ),
    ],
)
def test_an_attribute_that_no_model_has(axis, value, old, new, tmp_path):
    file = named(tmp_path, axis, value, old, new)
    if axis == "process":
        source = (
            (tmp_path / "mine.py").read_text().replace("(x: Examples, c", "(model, x: Examples, c")
        )
        (tmp_path / "mine.py").write_text(source)
    [found] = [f for f in told(file) if f.startswith("X207")]
    assert f"{axis} `mine` uses `model.survival`, which backbone `rotary` does not define" in found
    if axis == "loss":
        (tmp_path / "net.py").write_text(timed_backbone())
        file.write_text(file.read_text().replace("rotary", "./net.py"))
        plan_of(file)


def timed_backbone() -> str:
    """With a method that takes a time, and one without annotations."""
    source = shipped("backbone", "rotary_timed", "")
    return source + (
        "\n    def survival(self, t: Tensor, tokens: Tensor) -> Tensor:"
        "\n        return t * tokens\n"
        "\n    def plain(self, t):\n        return t\n"
    )


def test_methods_of_a_backbone_get_what_they_are_called_with(tmp_path):
    """A time too: only `forward` may go without."""
    old, new = (
        "model.token_logits(",
        "model.plain(2.0) * model.survival(hidden, 3.0) * model.token_logits(",
    )
    file = named(tmp_path, "loss", "cross_entropy", old, new)
    (tmp_path / "net.py").write_text(timed_backbone())
    file.write_text(file.read_text().replace("rotary", "./net.py"))
    files = render(plan_of(file))
    model = files["method/model.py"].decode()
    assert "def survival(self, t: Tensor, tokens: Tensor) -> Tensor:" in model
    assert "return self.backbone.survival(t, tokens)" in model
    assert "def plain(self, t):" in model
    assert "t: Tensor | None = None" in model


def test_what_every_model_has_is_had():
    model = torch.nn.Module()
    public = {n for n in dir(model) if n[0].islower()}
    assert {n for n in MODULE_ATTRIBUTES if not hasattr(model, n)} == {"backbone"}
    assert public <= {*MODULE_ATTRIBUTES}


VARIABLES = [*FUNCTIONS, *ARGUMENTS, *PLACES, *MADE, *NUMBERED]
VARIABLES += [f"{n}_{i}" for n in NUMBERED for i in (2, 3, 12)]


@pytest.mark.parametrize("axis", ["target", "loss", "weight"])
@pytest.mark.parametrize("name", VARIABLES)
def test_a_file_called_like_a_variable_of_the_package(name, axis, tmp_path):
    value = {"target": "next_token", "loss": "cross_entropy", "weight": "elbo_clipped"}[axis]
    found = told(named(tmp_path, axis, value, name=name))[0]
    assert found.startswith("X107")
    assert "is a name in the generated code" in found


@pytest.mark.parametrize(
    "name", ["target_a", "rate_2a", "weights_2", "objective_2", "state", "sample"]
)
def test_control_a_file_called_nearly_like_a_variable(name, tmp_path):
    plan_of(named(tmp_path, "loss", "cross_entropy", name=name))


def test_every_name_in_an_objective_is_a_variable_that_files_may_not_have():
    """In the shipped methods, with a rate that is clipped, with two and with three terms."""
    specs = [p.read_text() for p in (ROOT / "specs").glob("*.yaml")]
    specs.append(text(loss="[cross_entropy: {weight: elbo_clipped}]"))
    losses = [f"{n}: {{weight: levels}}" for n in ("insertion_bound", "stop_cross_entropy")]
    specs.append(text(INSERTED, loss=f"[{', '.join(losses)}]"))
    specs.append(
        text(INSERTED, loss=f"[gap_cross_entropy: {{weight: levels}}, {', '.join(losses)}]")
    )
    found = set()
    families = (ROOT / "tests" / "families").glob("*/*.yaml")
    for method in [*(compose(in_memory(s)) for s in specs), *(checked(f)[0] for f in families)]:
        files = render(lower(method))
        [path] = [p for p in files if p.endswith("/objective.py")]
        for f in (n for n in ast.parse(files[path]).body if isinstance(n, ast.FunctionDef)):
            stored = (n for n in ast.walk(f) if isinstance(n, ast.Name))
            found |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
            found |= {f.name, *(a.arg for a in f.args.args)}
    assert {n for n in found if not is_variable(n)} == set()
    assert {*FUNCTIONS, *ARGUMENTS, *PLACES, *MADE, *NUMBERED} <= found  # nothing without a reason
    assert "target_2" in found


def test_two_files_of_one_name_in_two_axes(tmp_path):
    """The objective imports both."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.py").write_text(shipped("target", "masked_tokens", "mine"))
    file = named(tmp_path, "loss", "cross_entropy")
    plan_of(file)
    spec = file.read_text().replace(": {weight: elbo}", "")
    file.write_text(spec.replace("target: masked_tokens", "target: ./other/mine.py"))
    assert "X114" in told(file)[0]
    target = shipped("target", "masked_tokens", "cross_entropy")
    (tmp_path / "other" / "cross_entropy.py").write_text(target)
    file.write_text(text(target="./other/cross_entropy.py", loss="cross_entropy"))
    assert "X114" in told(file)[0]


def test_a_function_of_a_count_called_like_a_variable(tmp_path):
    """A weight may name any function of a count: here one called `rate`."""
    count = shipped("count", "bernoulli", "").replace("elbo_weight", "rate")
    (tmp_path / "chances.py").write_text(count)
    process = shipped("process", "mask", "").replace("elbo_weight", "rate")
    (tmp_path / "masking.py").write_text(process)
    file = tmp_path / "spec.yaml"
    (tmp_path / "half.py").write_text(HALF.replace("elbo_weight", "rate"))
    noise = "{process: ./masking.py, count: ./chances.py}"
    file.write_text(text(noise=noise, loss="[cross_entropy: {weight: ./half.py}]"))
    assert "X114" in told(file)[0]
    assert "`rate` in `chances.py`" in told(file)[0]


def test_a_custom_sampler_is_called_by_its_stem(tmp_path):
    """Alone, as a word or with numbers."""
    file = named(tmp_path, "sampler", "ancestral", name="tau_leaping")
    short = file.read_text()
    for written in (short, short.replace("./tau_leaping.py", "{kind: ./tau_leaping.py, steps: 9}")):
        file.write_text(written)
        files = render(plan_of(file))
        assert b'SAMPLERS = {"tau_leaping": sample}' in files["method/__init__.py"]
        assert b"tau_leaping" in files["README.md"]
        assert plan_of(file).samplers[0]["name"] == "tau_leaping"


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
    assert f'"fill": "{fill}"' in "".join(plan.experiment)
    assert ("eos" in plan.inferred["needs"]) == (fill == "eos")
