"""The words of papers and other code: each stands for one thing, and is told as what to write."""

import pytest
from jsonschema import Draft202012Validator
from methods import text
from ruamel.yaml import YAML

from xlm_spec.compiler.axes import AXES, components_of
from xlm_spec.compiler.components import differences
from xlm_spec.compiler.docs.cards import describe
from xlm_spec.compiler.frontend.forms import Forms
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.other_words import DECIDED, KIND
from xlm_spec.compiler.frontend.synonyms import difference, form, instead, language, plain, unlike
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.diagnostics import Failed, alternatives

VALUES = [(a, v, c) for a in AXES for v, c in components_of(a).items()]


@pytest.mark.parametrize("axis", AXES, ids=lambda a: a.path)
def test_a_word_for_a_value_stands_for_one_and_is_none_itself(axis):
    seen = dict[str, str]()
    for value, c in components_of(axis).items():
        assert c.synonyms, f"{value} has no other name"
        for word in c.synonyms:
            assert word == plain(word)
            assert word not in components_of(axis)
            assert seen.setdefault(word, value) == value, word


@pytest.mark.parametrize("axis", AXES, ids=lambda a: a.path)
def test_what_a_word_stands_for_is_a_value_of_its_axis(axis):
    forms = Forms()
    known = {"backbone": forms.one_of(axis)} | forms.definitions()
    of_axis = {"$ref": f"#/$defs/{axis.path}", "$defs": known}
    for c in components_of(axis).values():
        for word in c.synonyms:
            value = YAML(typ="safe", pure=True).load(form(axis, word))
            assert [*Draft202012Validator(of_axis).iter_errors(value)] == [], word


@pytest.mark.parametrize("axis", AXES, ids=lambda a: a.path)
def test_what_differs_is_said_of_a_word_once(axis):
    seen = dict[str, str]()
    for value, c in components_of(axis).items():
        for word, note in c.differs.items():
            assert word == plain(word)
            assert note
            assert not note.endswith(".")
            assert seen.setdefault(word, value) == value, word
            other = [v for v, found in components_of(axis).items() if word in found.synonyms]
            assert other in ([], [value]), word


@pytest.mark.parametrize(
    ("axis", "word"),
    [
        (a, w)
        for a, _, c in VALUES
        for w in c.differs
        if w not in c.synonyms and w not in components_of(a)
    ],
    ids=lambda x: getattr(x, "path", x),
)
def test_no_value_is_given_for_a_word_without_one(axis, word):
    """A word that is known to differ and has no replacement: no hint says `write`."""
    assert form(axis, word) == ""
    assert instead(axis, word) == difference(axis, word) != ""


def test_what_differs_goes_on_below():
    doc = """A title.

Differs:
    a, b: what
        goes on: here
    c: other

More."""
    assert differences(doc) == {"a": "what goes on: here", "b": "what goes on: here", "c": "other"}
    assert differences("A title.") == {}


def test_parameters_that_stand_there_are_not_given_again():
    more = "order: confidence, tokens: {kind: top_k, k: 1}"
    assert unlike(more, {}) == more
    assert unlike(more, {"order": "margin"}) == "tokens: {kind: top_k, k: 1}"
    assert unlike(more, {"order": "margin", "tokens": "top_p"}) == ""
    assert unlike("", None) == ""


def test_a_word_for_a_key_stands_for_one_of_the_keys_beside_it():
    common = {place: set(keys) for place, keys in language().items()}
    for axis, value, c in VALUES:
        keys = {p.name for p in c.parameters} | {"kind"} & set(language()[axis.parts])
        around = {a.key for a in AXES if a.parts[:-1] == axis.parts}
        apart(axis.parts, keys | around, f"{axis.path}: {value}")
    for place in ((), ("noise",), ("data",), ("train",)):
        apart(place, common[place], ".".join(place))


def apart(place, keys, where):
    seen = dict[str, str]()
    for key in keys:
        for word in language()[place][key]:
            assert word == plain(word)
            assert word not in keys, f"{word} in {where}"
            assert seen.setdefault(word, key) == key, f"{word} in {where}"


def hint(**parts: str) -> str:
    with pytest.raises(Failed) as failed:
        validate(parse(text(**parts).encode()))
    [d] = failed.value.diagnostics
    return d.hint


def test_a_word_is_told_before_what_is_spelt_alike():
    assert "did you mean" in alternatives("loglinear", components_of(AXES[1]))
    assert hint(noise="{process: mask, schedule: loglinear}") == "write `linear`"
    assert "did you mean" in alternatives("weights", ["weight"])
    assert hint(loss="[cross_entropy: {weights: nelbo}]") == "write `weight: elbo`"


def test_capitals_and_dashes_make_no_other_word():
    told = "write `linear`"
    for word in ("log-linear", "Log_Linear", "LOGLINEAR", "log linear"):
        assert hint(noise=f"{{process: mask, schedule: {word}}}") == told


def test_what_a_method_decides_is_no_key_of_the_language():
    keys = {k for of_place in language().values() for k in of_place}
    assert not set(DECIDED) & keys
    assert "kind" not in KIND


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("hidden_size", "`width` of `backbone`"),
        ("absorbing_state", "`mask` of `noise.process`"),
        ("learning_rate", "`lr` of `train`"),
        ("objective", "`loss` of `the spec`"),
    ],
)
def test_axes_finds_a_word(word, found):
    with pytest.raises(Failed) as failed:
        describe(word, None)
    assert found in failed.value.diagnostics[0].hint
    shown = describe("backbone", "dit")
    assert "hidden_size" in shown  # said in rotary.py, for every backbone
