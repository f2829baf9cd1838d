"""Heads in files of a spec's author: inferred, built with their parameters, or refused."""

import pytest
import torch
from methods import INSERTED, package, steps_and_samples, text

from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import component
from xlm_spec.compiler.components.reader import read
from xlm_spec.compiler.emit.plan import Assign
from xlm_spec.compiler.middle import heads, network
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.diagnostics import Failed
from xlm_spec.laws import load_package, verify
from xlm_spec.laws.law_files import Unverified

SURE = '''"""How sure the model is of a position."""

from torch import Tensor, nn


class Sure(nn.Module):
    """hidden state -> log-odds."""

    def __init__(
        self,
        width: int,
        *,
        scale: float = 2.0,  # of the log-odds; in (0, inf)
    ):
        super().__init__()
        self.linear = nn.Linear(width, 1)
        self.scale = scale

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N,)
        return self.scale * self.linear(hidden)[:, 0].float()
'''
LOSS = '''"""Cross-entropy, and the log-odds of being right."""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from ..types import TokenPositions


def surely(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """(B, L)."""
    at = hidden[target.row, target.col]
    nats = F.cross_entropy(model.token_logits(at), target.token, reduction="none")
    return scatter(nats + F.softplus(-model.sure(at)), target.row, target.col, hidden)
'''
LAW = '''"""The law of `sure`."""


def output(hidden, excluded):
    return hidden[..., 0] - 3
'''


def spec(folder, head="./sure.py", source=SURE, loss=LOSS, file="sure.py", **changes):
    (folder / file).write_text(source)
    (folder / "surely.py").write_text(loss)
    listed = {"head": head} if head else {}
    (folder / "spec.yaml").write_text(text(loss="./surely.py", **listed, **changes))
    return folder / "spec.yaml"


def refused(file) -> list[str]:
    """`code file:line message; hint` of each diagnostic."""
    with pytest.raises(Failed) as failed:
        checked(file)
    return [
        f"{d.code} {d.file.rpartition('/')[2]}:{d.span.line + 1} {d.message}; {d.hint}"
        for d in failed.value.diagnostics
    ]


@pytest.mark.parametrize("head", ["./sure.py", "[./sure.py]", "[./sure.py: {scale: 2}]"])
def test_a_custom_head_is_built_trained_and_sampled(head, tmp_path):
    spec(tmp_path)
    made = package(tmp_path, loss="./surely.py", head=head)
    steps_and_samples(made)
    config = made.Config.small()
    assert config.head.sure.scale == 2.0
    model = made.Model(config)
    assert model.sure.scale == 2.0
    assert {n for n, _ in model.named_children()} == {"backbone", "sure", "token_logits"}


def test_the_parameters_of_a_head_are_in_the_config(tmp_path):
    plan = plan_of(spec(tmp_path, "[./sure.py: {scale: 3}]"))
    assert plan.method["head"] == {"sure": {"kind": "sure", "scale": "3.0"}}
    call = Call("Sure", ("config.backbone.width", "scale=config.head.sure.scale"))
    assert Assign("self.sure", call) in plan.model.attributes
    assert [f["path"] for f in plan.own] == ["sure.py", "surely.py"]
    low = refused(spec(tmp_path, "[./sure.py: {scale: 0}]"))
    assert low[0].startswith("X106 spec.yaml:7")


def test_the_parameters_of_a_head_that_no_spec_lists_are_in_the_config(tmp_path, monkeypatch):
    """Of a shipped head, which a component uses."""
    shipped = component("head", "stop_logit")
    source = SURE.replace("Sure", "StopLogit").replace("sure", "stop_logit")
    read_as = dict.fromkeys([shipped.path], read(source, "head", "stop_logit"))

    def of(folder: str, value: str):
        c = component(folder, value)
        return read_as.get(c.path, c)

    for module in (network, heads):
        monkeypatch.setattr(module, "component", of)
    (tmp_path / "spec.yaml").write_text(text(INSERTED))
    plan = plan_of(tmp_path / "spec.yaml")
    call = Call("StopLogit", ("config.backbone.width", "scale=config.head.stop_logit.scale"))
    assert Assign("self.stop_logit", call) in plan.model.attributes
    sections = {s.name: [f.name for f in s.fields] for s in plan.config.sections}
    assert sections["HeadStopLogit"] == ["scale"]
    assert sections["Head"] == ["stop_logit"]


def test_a_head_that_is_like_another_has_weights_of_its_own(tmp_path):
    like = '"""Logits of a second guess."""\n\nLIKE = "token_logits"\n'
    loss = LOSS.replace("model.sure(at)", "model.sure(at).logsumexp(-1)")
    spec(tmp_path, source=like, loss=loss)
    made = package(tmp_path, loss="./surely.py", head="./sure.py")
    steps_and_samples(made)
    model = made.Model(made.Config.small())
    assert type(model.sure) is type(model.token_logits)
    assert model.sure.linear.weight is not model.token_logits.linear.weight


def test_a_head_can_use_shared_layers(tmp_path):
    """It may import layers; model.py lists each once."""
    source = SURE.replace(
        "from torch import Tensor, nn\n",
        "from torch import Tensor, nn\n\nfrom ..layers import mlp\n",
    ).replace("nn.Linear(width, 1)", "nn.Sequential(mlp(width), nn.Linear(width, 1))")
    spec(tmp_path, source=source)
    made = package(tmp_path, loss="./surely.py", head="./sure.py")
    steps_and_samples(made)


def test_a_spec_in_its_package_builds_the_same(tmp_path):
    done = build(spec(tmp_path), tmp_path / "out")
    before = (done.folder / "method" / "model.py").read_text()
    build(done.folder / "spec.yaml")
    assert (done.folder / "method" / "model.py").read_text() == before


UNUSED = LOSS.replace(" + F.softplus(-model.sure(at))", "")
MISSPELT = LOSS.replace("model.sure", "model.suer")


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"loss": UNUSED}, "X204 spec.yaml:7", "no component of this spec uses head `sure`"),
        ({"head": ""}, "X207 spec.yaml:5", "loss `surely` uses `model.sure`"),
        ({"head": ""}, "X207 spec.yaml:5", "for a custom head, write `head: ./sure.py`"),
        ({"loss": MISSPELT}, "X207 spec.yaml:5", "did you mean `sure`? heads: "),
        ({"head": "./suer.py"}, "X109 spec.yaml:7", "file `./suer.py` does not exist"),
        ({"head": "suer"}, "X105 spec.yaml:7", "invalid value `suer` for `head`"),
        ({"head": "[./sure.py: {scal: 2}]"}, "X102 spec.yaml:7", "did you mean `scale`?"),
        ({"head": "[./sure.py, ./sure.py]"}, "X108 spec.yaml:7", "duplicate item"),
        ({"head": "./train.py", "file": "train.py"}, "X107", "every model has an attribute"),
        (
            {"head": "./token_logits.py", "file": "token_logits.py"},
            "X107",
            "already the name of a shipped component",
        ),
    ],
)
def test_a_spec_that_is_wrong(given, code, message, tmp_path):
    [found] = refused(spec(tmp_path, **given))
    assert found.startswith(code)
    assert message in found


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("self, hidden: Tensor", "self, hidden: Tensor, t: Tensor", "X112", "one argument"),
        ("self, hidden: Tensor", "self", "X112", "`Sure.forward` must have one argument, `hidden`"),
        ("def forward", "def predict", "X112", "a head must define a method `forward`"),
        ("width: int,", "width: int, model,", "X112", "must not require `model`"),
        ("def __init__(", "def build(", "X112", "a head must define a method `__init__`"),
        ("class Sure(nn.Module)", "class Sure", "X112", "derives from nn.Module; this one: none"),
        (
            "class Sure(nn.Module)",
            'class A(nn.Module):\n    """A."""\n\n\nclass Sure(nn.Module)',
            "X112",
            "this one: `A`, `Sure`",
        ),
        ("scale: float = 2.0", "scale=2.0", "X111", "parameter `scale` has no type"),
        ("in (0, inf)", "in (3, inf)", "X117", "default 2.0 of parameter `scale` is outside"),
        ("class Sure", 'LIKE = "token_logits"\n\n\nclass Sure', "X116", "and define a class"),
        ("class Sure", 'SMALL = {"width": 3}\n\n\nclass Sure', "X116", "`SMALL` is not a"),
        ("width: int,", "width: int, other: int,", "X201", "head `sure` requires `other`"),
        ("Sure(nn.Module)", "Backbone(nn.Module)", "X114", "already used by backbone `rotary`"),
        ("Sure(nn.Module)", "Model(nn.Module)", "X114", "already used by the generated code"),
        ("Sure(nn.Module)", "TokenLogits(nn.Module)", "X114", "used by head `token_logits`"),
        ("Sure(nn.Module)", "Attention(nn.Module)", "X114", "the shared layers of this model"),
    ],
)
def test_a_file_that_is_wrong(old, new, code, message, tmp_path):
    assert old in SURE
    [found] = refused(spec(tmp_path, source=SURE.replace(old, new, 1)))
    assert found.startswith(code)
    assert message in found


def test_a_head_without_class_says_what_to_write(tmp_path):
    [found] = refused(spec(tmp_path, source='"""Nothing."""\n'))
    assert 'write `class Sure(nn.Module)`, or `LIKE = "token_logits"` without a class' in found


def test_a_head_named_like_a_method_of_the_backbone(tmp_path):
    file = spec(tmp_path, "./open_cache.py", file="open_cache.py")
    (tmp_path / "surely.py").write_text(LOSS.replace("model.sure", "model.open_cache"))
    [found] = refused(file)
    assert found.startswith("X114 spec.yaml:7 head `open_cache` has the name of a method of")


def test_a_sampler_that_uses_an_untrained_custom_head(tmp_path):
    source = (
        '"""One guess."""\n\nfrom collections.abc import Iterator\n\n'
        "from ..ops import masked_positions\n"
        "from ..types import State, Vocab\n\n\n"
        'def time_grid(state: State) -> Iterator[int]:\n    """Once."""\n    yield 0\n\n\n'
        "def step(model, state: State, vocab: Vocab) -> State:\n"
        '    """Nothing."""\n    model.sure(model(state.tokens, state.valid)[0])\n'
        "    return state\n"
    )
    (tmp_path / "guess.py").write_text(source)
    [found] = refused(spec(tmp_path, loss=UNUSED, sampler="./guess.py"))
    assert found.startswith("X305")
    assert "head `sure`, which no loss trains; use `model.sure` in a loss" in found


# ---- the law file of a head ----------------------------------------------------------------------


def results(folder):
    made = load_package(folder)
    return made, {(r.status, r.law) for r in verify(made)}


@pytest.mark.slow
def test_without_a_law_file_laws_with_a_random_model_are_unverified(tmp_path):
    made, found = results(build(spec(tmp_path), tmp_path / "out").folder)
    assert not {r for r in found if r[0] == "failed"}
    assert any("sure" in why for why in made.without_law())
    with pytest.raises(Unverified):
        made.random_model()


@pytest.mark.slow
def test_a_law_file_of_a_head_is_used(tmp_path):
    file = spec(tmp_path)
    (tmp_path / "sure_law.py").write_text(LAW)
    made, found = results(build(file, tmp_path / "out").folder)
    assert not {r for r in found if r[0] == "failed"}
    assert not any("head" in why for why in made.without_law())
    hidden = torch.full((2, 5), 4.0)
    assert made.random_model().sure(hidden).tolist() == [1.0, 1.0]
