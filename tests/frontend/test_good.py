"""Specs that are legal and look as if they might not be: refusing one of them is a mistake too."""

import pytest
from methods import INSERTED, MASKED, PLAIN, text

from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.plan import plan_of

GOOD = {
    "a choice in quotes": text(noise="{process: 'mask', schedule: \"cosine\"}"),
    "a kind without parameters": text(backbone="{kind: rotary}"),
    "a loss alone": text(loss="cross_entropy"),
    "a loss with no parameters": text(loss="{cross_entropy: {}}"),
    "a list of one": text(target="[masked_tokens]"),
    "a weight with parameters": text(
        loss="[cross_entropy: {weight: {kind: elbo_clipped, largest: 5}}]"
    ),
    "a whole number for a fraction": text(
        sampler="{kind: ancestral, tokens: {kind: temperature, temperature: 1}}"
    ),
    "numbers of YAML 1.2": text() + "train: {lr: 1e-4, clip: .5, weight_decay: 1., ema: 0.9999}\n",
    "a plus sign": text() + "train: {batch: +8}\n",
    "a value at the end of its range": text(sampler="{kind: ancestral, steps: 1}"),
    "a title like code": text() + "title: 'f(x) = {{x}}: \"why\" # not'\n",
    "a title over two lines": text() + "title: >-\n  one\n  two\n",
    "a title like a number": text() + "title: '1e5'\n",
    "letters of other scripts": text() + "title: 扩散 модель 🙂\n",
    "empty sections": text() + "data: {}\ntrain: {}\n",
    "a task of the author's own": text() + "data: {task: ./no/such/task.py}\n",
    "an option of a task": text() + "data: {task: star_hard, format: edges}\n",
    "a file of text": text() + "data: {task: text, file: 'a b.txt', block: 16}\n",
    "samplers by name": text(
        sampler="{a: ancestral, kinder: {kind: first_hitting}, steps: {kind: ancestral, steps: 4}}"
    ),
    "a sampler called like a rule": text(sampler="{order: ancestral, b: first_hitting}"),
    "names that differ in an underscore": text(
        sampler="{a_b: ancestral, ab: first_hitting, ab_wrap: {kind: ancestral, wrap: blocks}}"
    ),
    "one named sampler": text(sampler="{only: ancestral}"),
    "a loop around a loop": text(sampler="{kind: ancestral, wrap: {blocks: {size: 4}}}"),
    "a wrap and a corrector with their kinds": text(
        sampler="{kind: ancestral, wrap: {kind: blocks, size: 4}, corrector: {kind: gibbs}}"
    ),
    "a rule that is the default": text(sampler="{kind: ancestral, tokens: temperature}"),
    "losses in another order": text(INSERTED, loss="[stop_cross_entropy, gap_cross_entropy]"),
    "targets in another order": text(INSERTED, target="[stop, gap_tokens]"),
    "no noise, no schedule": text(PLAIN),
    "a long name": text(name="a" * 60),
    "a name with digits": text(name="mdlm_2_b"),
    "comments everywhere": "# one\n" + text().replace("\n", "  # more\n"),
    "an anchor that is used": text().replace("noise: ", "noise: &n ").replace("title", "title"),
    "a document's start and end": "---\n" + text() + "...\n",
    "a version line": "%YAML 1.2\n---\n" + text(),
    "no line break at the end": text().rstrip("\n"),
    "blocks instead of braces": text().replace(
        "noise: {process: mask, schedule: linear}",
        "noise:\n    process: mask\n    schedule:\n        kind: linear\n        eps: 0",
    ),
    "keys in another order": "\n".join(reversed(text().splitlines())) + "\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_it_is_accepted(name, tmp_path):
    file = tmp_path / "spec.yaml"
    for raw in (GOOD[name].encode(), GOOD[name].replace("\n", "\r\n").encode()):
        file.write_bytes(raw)
        assert plan_of(file).name


def test_forms_that_say_the_same_are_the_same():
    """A name, a mapping with its kind alone, a list of one: what follows is equal."""
    specs = [
        validate(parse(text(MASKED, **parts).encode()))
        for parts in (
            {"backbone": "rotary", "target": "masked_tokens"},
            {"backbone": "{kind: rotary}", "target": "[masked_tokens]"},
        )
    ]
    a, b = specs
    assert a.backbone.component is b.backbone.component
    assert a.backbone.given == b.backbone.given == {}
    assert [t.component for t in a.targets] == [t.component for t in b.targets]


def test_a_wrap_with_its_kind_is_the_wrap_by_its_name():
    forms = ("{kind: blocks, size: 4}", "{blocks: {size: 4}}", "[{blocks: {size: 4}}]")
    found = [
        validate(parse(text(sampler=f"{{kind: ancestral, wrap: {w}}}").encode())) for w in forms
    ]
    wraps = [[(c.value, c.given) for c in spec.samplers[0].wraps] for spec in found]
    assert wraps == [[("blocks", {"size": 4})]] * 3
