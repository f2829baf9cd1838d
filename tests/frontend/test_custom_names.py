"""Names in custom files: undefined ones, attributes of the model, variables of the package."""

import ast

import pytest
import torch
from custom_files import HALF, messages
from methods import INSERTED, ROOT, text
from methods import checked as in_memory
from shipped_components import named, shipped

from xlm_spec.compiler.build import build
from xlm_spec.compiler.emit.lower import lower
from xlm_spec.compiler.emit.objective import ARGUMENTS, FUNCTIONS, MADE, PLACES, is_variable
from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.members import MODULE_ATTRIBUTES
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.local_names import NUMBERED
from xlm_spec.compiler.plan import checked, plan_of


@pytest.mark.parametrize("name", ["SCALE", "_scale", "scale"])
def test_a_constant_that_the_file_reads_stands_in_the_package(name, tmp_path):
    file = named(tmp_path, "loss", "cross_entropy", "ELBO_TERM = True", f"{name} = 3.0  # of all")
    source = (tmp_path / "mine.py").read_text()
    source = source.replace("return scatter(nats,", f"return scatter({name} * nats,")
    (tmp_path / "mine.py").write_text(source)
    build(file, tmp_path)
    loss = (tmp_path / "method" / "method" / "loss.py").read_text()
    assert f"\n\n\n{name} = 3.0  # of all\n\n\ndef mine(" in loss


@pytest.mark.parametrize(
    ("new", "name"),
    [
        ("nats = nat(hidden)", "nat"),
        ("nats = Nats(hidden)", "Nats"),
        ("nats = sum(weigh(n) for n in hidden)", "weigh"),
        ("nats = (lambda n: n + offset)(hidden)", "offset"),
    ],
)
def test_a_name_that_is_not_defined(new, name, tmp_path):
    file = named(tmp_path, "loss", "cross_entropy", "ELBO_TERM = True", "ELBO_TERM = True")
    source = (tmp_path / "mine.py").read_text().splitlines()
    at = next(i for i, line in enumerate(source) if "nats = token_nats" in line)
    source[at] = f"    {new}"
    (tmp_path / "mine.py").write_text("\n".join([*source[:at], f"    {new}", *source[at + 1 :]]))
    assert messages(file) == [f"X115 {at + 1}: name `{name}` is not defined"]


def test_a_name_of_a_signature_that_is_not_defined(tmp_path):
    file = named(tmp_path, "loss", "cross_entropy", "hidden: Tensor", "hidden: Tensors")
    assert messages(file)[0].endswith("name `Tensors` is not defined")


def test_an_import_inside_of_a_function_is_looked_at(tmp_path):
    for line, message in (
        ("import numpy", "a package cannot import `numpy`"),
        ("from ..ops import scatter", "relative imports are allowed only at the top of the file"),
    ):
        new = f"    {line}\n    nats = "
        file = named(tmp_path, "loss", "cross_entropy", "    nats = ", new)
        assert messages(file)[0].endswith(message)
    named(tmp_path, "loss", "cross_entropy", "    nats = ", "    import math\n    nats = ")
    plan_of(file)


def test_what_only_a_compiler_sees_is_told(tmp_path):
    file = named(tmp_path, "loss", "cross_entropy", "    nats = ", "    nonlocal a\n    nats = ")
    assert messages(file)[0].startswith("X110")


@pytest.mark.parametrize(
    ("axis", "value", "old", "new"),
    [
        (
            "loss",
            "cross_entropy",
            "token_nats(",
            "model.survival(2.0, hidden) * token_nats(",
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
    [found] = [f for f in messages(file) if f.startswith("X207")]
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
        "token_nats(model",
        "model.plain(2.0) * model.survival(hidden, 3.0) * token_nats(model",
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


def of_torch(value: object) -> bool:
    """Not what another library adds to torch's classes when it is imported."""
    return getattr(value, "__module__", "torch").startswith("torch")


def test_what_every_model_has_is_had():
    model = torch.nn.Module()
    public = {n for n in dir(model) if n[0].islower() and of_torch(getattr(model, n))}
    assert {n for n in MODULE_ATTRIBUTES if not hasattr(model, n)} == {"backbone"}
    assert public <= {*MODULE_ATTRIBUTES}


VARIABLES = [*FUNCTIONS, *ARGUMENTS, *PLACES, *MADE, *NUMBERED]
VARIABLES += [f"{n}_{i}" for n in NUMBERED for i in (2, 3, 12)]


@pytest.mark.parametrize("axis", ["target", "loss", "weight"])
@pytest.mark.parametrize("name", VARIABLES)
def test_a_file_called_like_a_variable_of_the_package(name, axis, tmp_path):
    value = {"target": "next_token", "loss": "cross_entropy", "weight": "elbo_clipped"}[axis]
    found = messages(named(tmp_path, axis, value, name=name))[0]
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
    losses = [f"{n}: {{weight: per_count}}" for n in ("insertion_bound", "stop_cross_entropy")]
    specs.append(text(INSERTED, loss=f"[{', '.join(losses)}]"))
    specs.append(
        text(INSERTED, loss=f"[gap_cross_entropy: {{weight: per_count}}, {', '.join(losses)}]")
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
    assert "X114" in messages(file)[0]
    target = shipped("target", "masked_tokens", "cross_entropy")
    (tmp_path / "other" / "cross_entropy.py").write_text(target)
    file.write_text(text(target="./other/cross_entropy.py", loss="cross_entropy"))
    assert "X114" in messages(file)[0]


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
    assert "X114" in messages(file)[0]
    assert "`rate` in `chances.py`" in messages(file)[0]


def test_a_custom_sampler_is_called_by_its_stem(tmp_path):
    """Alone, as a word or with numbers."""
    file = named(tmp_path, "sampler", "ancestral", name="leaping")
    short = file.read_text()
    for written in (short, short.replace("./leaping.py", "{kind: ./leaping.py, steps: 9}")):
        file.write_text(written)
        files = render(plan_of(file))
        assert b'SAMPLERS = {"leaping": sample}' in files["method/__init__.py"]
        assert b"leaping" in files["README.md"]
        assert plan_of(file).samplers[0].name == "leaping"


def test_control_a_rule_called_like_the_protocol_of_its_axis(tmp_path):
    source = shipped("order", "random", "").replace("class Random", "class Score")
    (tmp_path / "mine.py").write_text(source)
    file = tmp_path / "spec.yaml"
    file.write_text(text(sampler="{kind: fixed_budget, order: ./mine.py}"))
    plan_of(file)
