"""What components share: the inputs of the model, and numbers that one of them owns."""

import importlib
import inspect

import pytest
import torch
from methods import MASKED, ROOT, checked, package, text

from xlm_spec.compiler.frontend.load import load
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.diagnostics import Failed

BACKBONES = ROOT / "templates" / "components" / "backbone"
VALID = "tokens: Tensor, valid: Tensor"


def backbone(folder, old: str, new: str, value: str = "rotary") -> str:
    """A custom backbone: a shipped one, changed."""
    source = (BACKBONES / f"{value}.py").read_text()
    assert old in source
    (folder / "mine.py").write_text(source.replace(old, new, 1))
    return "./mine.py"


def failed(folder, **changes: str) -> list[str]:
    """The code and the message of each error of a spec."""
    file = folder / "spec.yaml"
    file.write_text(text(MASKED, **changes))
    with pytest.raises(Failed) as caught:
        check(compose(validate(load(file))))
    return [f"{d.code}: {d.message}" for d in caught.value.diagnostics]


def line(method, start: str) -> str:
    """A line of the objective."""
    source = inspect.getsource(method.objective)
    return next(s.strip() for s in source.splitlines() if s.strip().startswith(start))


@pytest.mark.parametrize(
    ("value", "old", "call"),
    [
        ("rotary_shifted", VALID, "model(z.tokens, z.valid, segments=x.segments)"),
        ("dit", f"{VALID}, t: Tensor", "model(z.tokens, z.valid, t, segments=x.segments)"),
    ],
)
def test_samplers_leave_out_an_input_with_a_default(value, old, call, tmp_path):
    new = f"{old}, segments: Tensor | None = None"
    method = package(tmp_path, backbone=backbone(tmp_path, old, new, value))
    assert line(method, "hidden") == f"hidden = {call}  # (B, L, D)"
    config = method.Config.small()
    model, tokens = method.Model(config), torch.zeros(2, 5, dtype=torch.long)
    x = method.Examples(tokens, tokens == 0, tokens > 0)
    *_, last = method.sample(model, config, x, torch.Generator())
    assert not (last.tokens == config.vocab.mask).any()


def test_the_time_is_the_last_input_of_the_model(tmp_path):
    """Wherever `Backbone.forward` has it: samplers of any backbone call the model alike."""
    old = f"{VALID}, t: Tensor"
    mine = backbone(tmp_path, old, f"{VALID}, t: Tensor, clean: Tensor", "dit")
    assert failed(tmp_path, backbone=mine) == [
        "X208: sampler `ancestral` calls the model without `clean`, which backbone `mine` requires"
    ]
    sampler = (ROOT / "templates/components/sampler/ancestral.py").read_text()
    step = "    row, col, logits = logits_at(model, state, fired, t)\n"
    assert step in sampler
    own = "    hidden = model(state.tokens, state.valid, state.tokens, t)\n"
    own += "    row, col = fired.nonzero(as_tuple=True)\n"
    own += "    logits = model.token_logits(hidden[row, col])\n"
    (tmp_path / "steps.py").write_text(sampler.replace(step, own).replace("logits_at, ", ""))
    method = package(tmp_path, backbone=mine, sampler="./steps.py")
    assert line(method, "hidden").startswith("hidden = model(z.tokens, z.valid, z.clean, t)")
    assert [*inspect.signature(method.Model.forward).parameters][3:] == ["clean", "t"]


def test_a_number_of_the_backbone_is_shared_with_a_loss(tmp_path):
    loss = (ROOT / "templates/components/loss/cross_entropy.py").read_text()
    loss = loss.replace("def cross_entropy(", "def mine(").replace("ELBO_TERM = True\n", "")
    loss = loss.replace("target: TokenPositions)", "target: TokenPositions, heads: int)")
    (tmp_path / "mine.py").write_text(loss)
    method = package(tmp_path, loss="./mine.py", backbone="{kind: rotary, heads: 4}")
    assert "mine(model, hidden, target, config.backbone.heads)" in inspect.getsource(
        method.objective
    )


def test_a_number_with_another_type_is_not_shared(tmp_path):
    """`edge`, the parameter of the time, is a float: an int cannot hold it, a float can."""
    source = "        direction: str,\n"
    mine = backbone(tmp_path, source, f"{source}        edge: int,\n")
    assert failed(tmp_path, backbone=mine) == [
        "X201: backbone `mine` requires `edge`, which no component of this spec provides"
    ]
    backbone(tmp_path, source, f"{source}        edge: float,\n")
    file = tmp_path / "spec.yaml"
    built = compose(validate(load(file))).built
    assert built == ("config.vocab.size", '"bidirectional"', "config.noise.time.edge")


def test_a_component_does_not_own_the_number_that_it_requires(tmp_path):
    """`dropout` belongs to the backbone; the time cannot be meant, which has no such number."""
    time = (ROOT / "templates/components/time/iid.py").read_text()
    (tmp_path / "drawn.py").write_text(
        time.replace("rng: Generator,\n", "rng: Generator,\n    dropout: float,\n")
    )
    spec = text(noise="{process: mask, time: ./drawn.py}", name="method")
    (tmp_path / "spec.yaml").write_text(spec)
    found = compose(validate(load(tmp_path / "spec.yaml")))
    assert "config.backbone.dropout" in str(found.objective[0].call)
    time = time.replace("rng: Generator,\n", "rng: Generator,\n    size: int,\n")
    (tmp_path / "drawn.py").write_text(time)
    assert failed(tmp_path, noise="{process: mask, time: ./drawn.py}")[0].startswith("X201")


def test_a_loop_around_a_sampler_shares_the_number_of_this_sampler(tmp_path):
    """The samplers `one` and `two` have the same code, and a number each."""
    blocks = (ROOT / "templates/components/wrap/blocks.py").read_text()
    start, end = blocks.index("    *,\n"), blocks.index(") -> Iterator[Window]")
    blocks = f"{blocks[:start]}    tokens_per_step: int,\n{blocks[end:]}"
    (tmp_path / "short.py").write_text(
        blocks.replace("most, size)", "most, tokens_per_step)").replace("first + size", "first + 1")
    )
    kind = "kind: fixed_budget, order: random, wrap: ./short.py, tokens_per_step"
    sampler = f"{{one: {{{kind}: 2}}, two: {{{kind}: 3}}}}"
    method = package(tmp_path, sampler=sampler)
    module = importlib.import_module(f"{method.__name__}.sampler_fixed_budget")
    assert "windows(start, settings.tokens_per_step)" in inspect.getsource(module)
    alone = package(tmp_path, sampler=f"{{{kind}: 2}}")
    assert "windows(start, config.sampler.tokens_per_step)" in inspect.getsource(
        importlib.import_module(f"{alone.__name__}.sampler")
    )


def test_a_method_of_the_backbone_keeps_its_keywords(tmp_path):
    """A loss calls it; the model passes them on."""
    method = "    def open_cache("
    scaled = (
        "    def scaled(self, hidden: Tensor, power=2, *, scale: float = 0.5, shift) -> Tensor:\n"
    )
    scaled += '        """(B, L, D) -> (B, L, D)."""\n'
    scaled += "        return scale * hidden**power + shift\n\n"
    mine = backbone(tmp_path, method, scaled + method)
    loss = (ROOT / "templates/components/loss/cross_entropy.py").read_text()
    loss = loss.replace("def cross_entropy(", "def mine(").replace("ELBO_TERM = True\n", "")
    loss = loss.replace("hidden[target", "model.scaled(hidden, scale=1.0, shift=0)[target")
    (tmp_path / "mine_too.py").write_text(loss.replace("def mine(", "def mine_too("))
    built = package(tmp_path, backbone=mine, loss="./mine_too.py")
    found = str(inspect.signature(built.Model.scaled))
    expected = "power=2, *, scale: float = 0.5, shift) -> torch.Tensor"
    assert found.endswith(expected)
    model = built.Model(built.Config.small())
    assert model.scaled(torch.tensor(3.0), shift=1.0) == 5.5


def test_a_backbone_reads_a_further_schedule(tmp_path):
    mine = backbone(tmp_path, VALID, f"{VALID}, slow_schedule: Schedule = None")
    assert failed(tmp_path, backbone=mine)[0].startswith("X115")  # not imported
    mine = backbone(tmp_path, VALID, f"{VALID}, schedule=None, t=None")
    method = package(tmp_path, backbone=mine)
    assert "model(z.tokens, z.valid, t, schedule=schedule, read=z.read)" in line(method, "hidden")


@pytest.mark.parametrize("name", ["x", "rng", "model"])
def test_a_backbone_reads_no_more_than_tensors(name, tmp_path):
    mine = backbone(tmp_path, VALID, f"{VALID}, {name}")
    assert failed(tmp_path, backbone=mine) == [
        f"X201: backbone `mine` requires `{name}`, which no component of this spec provides"
    ]


def test_control_shipped_components_pass():
    assert checked(text()).name == "method"
