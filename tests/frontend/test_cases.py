"""The hints of errors: each case by its example; and the places of axes, where cases start."""

import re

import pytest
from methods import MASKED, ROOT

from xlm_spec.compiler import axes, runtime_settings
from xlm_spec.compiler.frontend.cases import answer
from xlm_spec.compiler.frontend.errors import MESSAGES
from xlm_spec.compiler.frontend.faults import faults
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import shipped, validate
from xlm_spec.diagnostics import Failed

CASES = {example for _, _, cases in MESSAGES.values() for example in cases}
RIGHT = {"xlm_spec": "1", "name": "method", "backbone": "rotary", **MASKED}


def example(line: str) -> bytes:
    """A spec that is right but for a line, or `without` a section."""
    key, _, value = line.partition(":")
    gone = key.removeprefix("without ")
    parts = RIGHT | ({key: value.strip()} if gone == key else {})
    return "\n".join(f"{k}: {v}" for k, v in parts.items() if k != gone or gone == key).encode()


def reached(line: str) -> list:
    """The cases that a spec meets, and their hints."""
    doc = parse(example(line))
    found = [w for e in shipped().iter_errors(doc.values) for w in faults(doc, e)]
    return [answer(MESSAGES[what][2], place) for what, place in found]


@pytest.mark.parametrize("example", sorted(CASES))
def test_an_example_meets_its_case_and_gets_its_hint(example):
    """`allowed: drop, …` stands for all values of an axis, so that a new one changes no example."""
    line, _, hint = example.partition(" -> ")
    [(met, given)] = reached(line)
    assert met == example
    pattern = re.sub(r"((?:allowed|one\\ of):\\ \w+,\\ )…", r"\1\\w+(, \\w+)*", re.escape(hint))
    assert re.fullmatch(pattern, given)


def test_a_right_spec_meets_no_case():
    assert reached("name: method") == []
    assert reached("name: Method") != []


@pytest.mark.parametrize(
    ("sampler", "one"),
    [
        ("{tokens: {kind: top_k, k: 3}}", True),
        ("{order: entropy, wrap: {blocks: {size: 8}}}", True),
        ("{steps: 8}", True),
        ("{tokens: {kind: ancestrol}}", False),  # a sampler called `tokens`
        ("{tokens: {kind: ancestral, stepz: 8}}", False),
        ("{a: {steps: 8}}", False),
    ],
)
def test_one_sampler_without_a_kind_is_told_from_named_ones(sampler, one):
    with pytest.raises(Failed) as failed:
        validate(parse(example(f"sampler: {sampler}")))
    messages = [d.message for d in failed.value.diagnostics]
    assert ("missing key `kind` in `sampler`" in messages) is one
    assert len(messages) == 1


# ---- where axes stand ----------------------------------------------------------------------------

ONE = {"sampler": {"kind": "remask", "order": "random"}}
NAMED = {"sampler": {"order": {"kind": "remask"}, "b": "ancestral"}}
PLACES = [
    (ONE, ("noise", "process"), axes.PROCESS),
    (ONE, ("noise", "process", "kind"), axes.PROCESS),
    (ONE, ("noise", "process", "eps"), None),
    (ONE, ("noise.process",), None),
    (ONE, ("target",), axes.TARGET),
    (ONE, ("target", 1), axes.TARGET),
    (ONE, ("target", "stop"), None),
    (ONE, ("loss", "cross_entropy", "weight"), axes.WEIGHT),
    (ONE, ("loss", 0, "cross_entropy", "weight"), axes.WEIGHT),
    (ONE, ("loss", 0, "weight"), None),
    (ONE, ("loss", 0, 1, "weight"), None),
    (ONE, ("sampler",), axes.SAMPLER),
    (ONE, ("sampler", "order"), axes.ORDER),
    (ONE, ("sampler", "steps"), None),
    (ONE, ("sampler", "a", "order"), None),
    (NAMED, ("sampler", "order"), axes.SAMPLER),
    (NAMED, ("sampler", "order", "order"), axes.ORDER),
    (NAMED, ("sampler", "b", "kind"), axes.SAMPLER),
    (NAMED, ("sampler", "b", "steps"), None),
    (ONE, (), None),
]


@pytest.mark.parametrize(("values", "path", "axis"), PLACES)
def test_the_axis_at_a_path(values, path, axis):
    assert axes.at(path, values) is axis


def test_an_axis_stands_where_it_is_read():
    """In a spec that gives them all."""
    rules = "order: random, gaps: top_k, tokens: top_k, stop: drawn, remasking: cap"
    rules += ", wrap: blocks, corrector: [gibbs]"
    lines = [
        "noise: {process: mask, schedule: linear, time: iid, count: exact, roll_in: ./mine.py}",
        "target: [stop]",
        "loss: [cross_entropy: {weight: one}]",
        f"sampler: {{a: {{kind: remask, {rules}}}}}",
        "backbone: dit",
        "head: [token_logits]",
    ]
    doc = parse("\n".join(lines).encode())
    assert {axes.at(p, doc.values) for p in doc.spans} == {None, *axes.AXES}


def test_the_default_task_is_said_once():
    said = {
        p.relative_to(ROOT / "xlm_spec").as_posix()
        for p in (ROOT / "xlm_spec").rglob("*.py")
        if f'"{runtime_settings.default_task()}"' in p.read_text()
    }
    assert said == {"runtime/config/settings.py", "runtime/tasks/star_easy.py"}  # the task itself
