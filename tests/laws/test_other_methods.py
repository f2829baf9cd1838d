"""The laws apply to methods that no shipped component resembles, and still find their errors."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from broken_packages import method
from code_blocks import shown
from methods import INSERTED, ROOT, package, text
from shipped_components import shipped

from xlm_spec import laws
from xlm_spec.compiler.build import build
from xlm_spec.laws.completeness import incomplete
from xlm_spec.laws.config_values import numbers
from xlm_spec.laws.distinct_rows import distinct_rows
from xlm_spec.laws.input_laws import lost
from xlm_spec.laws.law import Law, check_law
from xlm_spec.laws.law_files import Unverified
from xlm_spec.laws.model_laws import direction
from xlm_spec.laws.models import RandomModel
from xlm_spec.laws.network_laws import learns
from xlm_spec.laws.sampler_laws import changed
from xlm_spec.workbench.laws import folded

STARTS = "samplers start from the fully corrupted sequence"
KEPT = "fixed tokens and padding are never corrupted"
BOS, MASK, PAD = 3, 5, 6


# ---- fixed tokens --------------------------------------------------------------------------------


def rows(tokens, valid=None, fixed=None):
    """A state of one sequence."""
    tokens = torch.tensor([tokens])
    valid = torch.tensor([valid]) if valid else torch.ones_like(tokens, dtype=torch.bool)
    fixed = torch.tensor([fixed]) if fixed else torch.zeros_like(valid)
    return Examples(tokens, valid, fixed)


class Examples(SimpleNamespace):
    def __init__(self, tokens, valid, fixed):
        super().__init__(tokens=tokens, valid=valid, fixed=fixed)

    def _replace(self, **fields):
        return Examples(**{**vars(self), **fields})


def test_a_process_that_moves_tokens_keeps_the_fixed_ones():
    """If the model reads where they are."""
    x = rows([BOS, 1, 0, 2], fixed=[True, False, False, True])
    z = rows([BOS, 2, 0, 1])
    assert (lost(z, x), lost(z, x, moved=True)) == (1, 0)
    for wrong in ([BOS, 0, 0, 1], [2, BOS, 0, 1]):  # one is missing; both are moved
        assert lost(rows(wrong), x, moved=True) == 1


def at(layout: str):
    """As much of a method as the laws of fixed tokens read."""
    return SimpleNamespace(layout=layout, vocab=SimpleNamespace(pad=PAD, special=(PAD, BOS, MASK)))


def test_a_state_can_be_longer_than_the_canvas():
    x = rows([BOS, PAD], fixed=[True, False])
    longer = [True, False, False, False]
    assert changed(at("grow"), rows([BOS, 0, 1, 2], fixed=longer), x) == 0
    assert changed(at("grow"), rows([1, BOS, 1, 2], fixed=longer), x) == 1


def test_tokens_of_a_canvas_can_become_valid_later_but_not_never():
    fixed = [True, False, True]
    x = rows([BOS, PAD, 1], fixed=fixed)
    later = rows([BOS, 0, 1], valid=[True, False, True], fixed=fixed)
    assert changed(at("canvas"), later, x) == 0
    assert incomplete(at("canvas"), x, later) == 1
    assert incomplete(at("canvas"), x, rows([BOS, 0, 1], fixed=fixed)) == 0
    assert changed(at("canvas"), rows([BOS, 0, 1], [True, True, False], fixed), x) == 1
    short = rows([BOS, PAD, 1], valid=[True, False, True], fixed=fixed)
    assert changed(at("canvas"), rows([BOS, 0, 1], fixed=fixed), short) == 1


# ---- models --------------------------------------------------------------------------------------


def figure(reach: int, causal: bool):
    """The figure of the law for a model whose positions see `reach` later ones."""

    def model(tokens, valid, t):
        seen = tokens.double().cumsum(1)
        later = torch.cat([seen[:, reach:], seen[:, -1:].expand(-1, reach)], 1)
        return later[..., None]

    vocab = SimpleNamespace(bos=BOS)
    m = SimpleNamespace(small_model=lambda: model, vocab=vocab, causal=causal, wires=[])
    [found] = direction(m)
    assert found.control_detected
    return found


def test_a_bidirectional_model_need_not_see_the_whole_sequence():
    """Such as the block of a position, or a window; a model that sees nothing later is none."""
    assert figure(9, causal=False).held
    assert figure(1, causal=False).held
    assert not figure(0, causal=False).held


def test_a_causal_model_sees_no_later_position():
    assert figure(0, causal=True).held
    assert not figure(1, causal=True).held


@pytest.mark.parametrize(("attributes", "status"), [(["train_pass"], "unverified"), ([], "error")])
def test_a_method_of_the_model_that_laws_lack_is_no_error(attributes, status):
    """A law that calls a method of the package's model can't be tested with other models."""
    network = type("Model", (), dict.fromkeys(attributes))
    module = SimpleNamespace(Model=network, __name__="method", __file__="/method/__init__.py")
    m = SimpleNamespace(module=module)
    broken = Law("a law", lambda m: "", lambda m: [RandomModel({}, (0,)).train_pass()])
    [result] = check_law(m, broken)
    assert (result.status, "train_pass" in result.why) == (status, True)


# ---- counts, schedules and numbers ---------------------------------------------------------------


def test_numbers_with_one_owner_are_shared():
    @dataclass
    class Time:
        block: int = 3
        edge: float = 0.1

    @dataclass
    class Config:
        time: Time = field(default_factory=Time)
        other: Time = field(default_factory=lambda: Time(edge=0.2))
        steps: int = 4

    assert numbers(Config()) == {"steps": 4}
    assert numbers(Time()) == {"block": 3, "edge": 0.1}


COUNT = '''"""A token is first masked, then dropped."""

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule


def select_tokens(x: Examples, t: Tensor, schedule: Schedule, rng: Generator) -> Tensor:
    """0 for a token, 1 for a mask, 2 for a dropped token, (B, L) long."""
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    alpha, free = schedule.alpha(t), x.valid & ~x.fixed
    return free * ((u >= alpha**2).long() + (u >= alpha))
'''
PROCESS = [  # changes of the process `drop`
    ("x: Examples, corrupted: Tensor", "x: Examples, corrupted: Tensor, vocab: Vocab"),
    ("import Examples, GapState", "import Examples, GapState, Vocab"),
    ("x.valid & ~corrupted", "x.valid & (corrupted < 2)"),
    ("(keep, x.tokens", "(keep, x.tokens.masked_fill(corrupted == 1, vocab.mask)"),
    ("valid, open, corrupted", "valid, open, corrupted == 2"),
    (
        """ELBO_WEIGHTS = {
    "gap_tokens": "count_weight",
    "expected_gap_tokens": "count_weight",
    "stop": "count_weight",
}
""",
        "",
    ),
]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """The package of a count with two kinds of corruption."""
    folder, process = tmp_path_factory.mktemp("kinds"), shipped("process", "drop", "drop")
    for old, new in PROCESS:
        assert old in process
        process = process.replace(old, new, 1)
    (folder / "masked_first.py").write_text(process)
    (folder / "two_kinds.py").write_text(COUNT)
    noise = "{process: ./masked_first.py, count: ./two_kinds.py}"
    losses = "[gap_cross_entropy, stop_cross_entropy]"
    return Path(package(folder, INSERTED, noise=noise, loss=losses).__file__).parent.parent


def status(folder, law: str) -> str:
    [result] = laws.verify(method(folder), [found for found in laws.LAWS if found.name == law])
    return result.status


@pytest.mark.parametrize(
    ("law", "old", "new"),
    [
        (STARTS, "compact(x.valid & x.fixed, x.tokens", "compact(x.valid, x.tokens"),
        (KEPT, "schedule.alpha(t), x.valid & ~x.fixed", "schedule.alpha(t), x.valid"),
    ],
)
def test_laws_of_a_count_with_two_kinds_find_errors(kinds, tmp_path, law, old, new):
    folder = shutil.copytree(kinds, tmp_path / kinds.name)
    assert status(folder, law) == "held"
    noise = folder / kinds.name / "noise.py"
    assert noise.read_text().count(old) == 1
    noise.write_text(noise.read_text().replace(old, new))
    assert status(folder, law) == "failed"


# ---- training ------------------------------------------------------------------------------------


def test_a_noisy_objective_is_not_said_to_be_untrained():
    """But one that training does not lower is."""
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(2000, generator=rng)

    def found(before, after):
        trained = SimpleNamespace(before=before, after=after, steps=300)
        [result] = learns(SimpleNamespace(once=lambda key, compute: trained))
        return result.held

    assert found(10 + noise, 4 + noise)
    assert not found(10 + noise, 10 + noise.flip(0))
    with pytest.raises(Unverified, match="vary too much"):
        found(10 + 100 * noise, 4 + noise)


# ---- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest", [1, 1 << 40])
def test_distinct_rows_are_those_of_torch(largest):
    """Small numbers, and such that a row of them does not fit one number."""
    rows = torch.randint(-2, 2, (300, 5), generator=torch.Generator().manual_seed(0)) * largest
    each, which = rows.unique(dim=0, return_inverse=True)
    assert 100 < len(each) < 300
    found = distinct_rows(rows)
    assert torch.equal(found[0], each)
    assert torch.equal(found[1], which)


LENGTHS = """
xlm_spec: 1
name: lengths
noise: {process: mask}
target: [masked_tokens, ./length.py]
loss: [cross_entropy: {weight: elbo}, ./length_cross_entropy.py]
sampler: ancestral
backbone: rotary
head: [./length_logits.py: {longest: 32}]
"""


def test_a_bound_with_a_term_that_the_exact_model_lacks_is_unverified(tmp_path):
    """A term of the length is no part of the law of `mask`: neither an error nor a failed law."""
    shutil.copytree(ROOT / "tests" / "families" / "cmlm", tmp_path, dirs_exist_ok=True)
    (tmp_path / "lengths.yaml").write_text(LENGTHS)
    m = method(build(tmp_path / "lengths.yaml", tmp_path / "out").folder)
    names = ("the bound equals the entropy at its minimiser", "the bound is the mean over orders")
    tested = [law for law in laws.LAWS if law.name.endswith(names)]
    results = [*laws.verify(m, tested)]
    assert len(results) == 2
    why = "the exact model of process mask has no head `length_logits`"
    assert {(r.status, r.why) for r in results} == {("unverified", why)}


def test_a_term_without_the_noise_can_read_the_time(tmp_path):
    """No X312: it compares nothing with x_t."""
    shutil.copytree(ROOT / "tests" / "families" / "cmlm", tmp_path, dirs_exist_ok=True)
    file = tmp_path / "length_cross_entropy.py"
    timed = file.read_text().replace("x: Examples)", "x: Examples, t: Tensor)")
    file.write_text(timed.replace("x.valid & x.fixed)", "x.valid & x.fixed, t)"))
    (tmp_path / "lengths.yaml").write_text(LENGTHS.replace("rotary", "rotary_timed"))
    assert build(tmp_path / "lengths.yaml", tmp_path / "out").folder.is_dir()


BY_CLOCK = {  # the learned schedules of the first week
    "target": "masked_tokens",
    "loss": "./clock_bound.py",
    "sampler": "{kind: fixed_budget, order: random}",
    "backbone": "rotary_timed",
    "head": "./clock.py",
}


@pytest.mark.parametrize(
    ("count", "status"), [("./by_clock.py", "warned"), ("bernoulli", "failed")]
)
def test_the_gradient_of_a_corruption_that_reads_the_model_is_a_warning(count, status, tmp_path):
    """REINFORCE: no derivative of a term. Where the corruption does not read the model, a fault."""
    for block in shown((ROOT / "docs" / "guides" / "first-week.md").read_text()):
        if "clock" in block.file:
            (tmp_path / block.file).write_text(block.text)
    spec = tmp_path / "method.yaml"
    spec.write_text(text(BY_CLOCK | {"noise": f"{{process: mask, count: {count}}}"}))
    m = method(build(spec, tmp_path / "out").folder)
    [gradient] = [law for law in laws.LAWS if law.name.startswith("the gradient is the derivative")]
    found = {r.figure.of: r.status for r in check_law(m, gradient)}
    assert found == {"backbone": "held", "heads": status}


@pytest.mark.parametrize(
    ("law", "changed"),
    [
        ("loss terms do not depend on the position in the sequence", "nats * (target.col < 12)"),
        ("loss terms are the same in training mode", "nats * (2 if model.training else 1)"),
    ],
)
def test_terms_of_far_positions_and_of_training_are_those_that_the_laws_see(law, changed, tmp_path):
    """The sequences of the toy distribution are short, and its models are in eval mode."""
    (tmp_path / "method.yaml").write_text(text())
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    [tested] = [each for each in laws.LAWS if each.name == law]
    assert [r.status for r in check_law(method(folder), tested)] == ["held"]
    file = folder / "method" / "loss.py"
    source = file.read_text()
    assert source.count("scatter(nats, target.row, target.col, hidden)") == 1
    file.write_text(source.replace("scatter(nats,", f"scatter({changed},"))
    assert [r.status for r in check_law(method(folder), tested)] == ["failed"]


def test_a_line_that_raises_fails_one_law_with_its_place(tmp_path):
    """The others that reach it are not tested, in one line of the report."""
    (tmp_path / "method.yaml").write_text(text())
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    file = folder / "method" / "loss.py"
    file.write_text(file.read_text().replace("return scatter(nats,", "return scattered(nats,"))
    names = ("loss terms", "losses have a value", "training lowers")
    results = [*laws.verify(method(folder), [a for a in laws.LAWS if a.name.startswith(names)])]
    [failed] = [r for r in results if r.status == "failed"]
    assert failed.why.startswith("NameError: name 'scattered' is not defined (loss.py:")
    assert "in `cross_entropy`: `return scattered(nats, target.row" in failed.why
    lines = folded(results)
    assert len(results) > 4
    assert [line.split()[0] for line in lines] == ["failed", "unverified"]
    assert f"{len(results) - 1} laws: not tested, as loss.py:" in lines[1]
