"""Bytes that are nearly a spec, or that cost much: a diagnostic, within a second and 200 MiB.

`python -m benchmarks.fuzz --bytes MINUTES` is the same at full scale, guided by coverage.
"""

import random
import subprocess
import sys
import time

import pytest
from bad_specs import bad_specs
from costly_specs import MUCH, told
from methods import ROOT
from random_components import copy_beside, shipped, spoiled
from scheduling import shares

from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed, hidden

GOOD = [f.read_bytes() for f in sorted((ROOT / "specs").glob("*.yaml"))]
BAD = [case.text.encode() for case in bad_specs()]
CORPUS = [*GOOD, *BAD]
SIGNS = [b": ", b"- ", b"# ", b"{", b"}", b"[", b"]", b"&a ", b"*a", b"!x ", b"|\n", b">-\n", b"? "]
SIGNS += [
    b"<<: ",
    b"---\n",
    b"...\n",
    b"%",
    b"'",
    b'"',
    b"\\",
    b"\t",
    b"\r",
    b"\n",
    b" ",
    b"\0",
    b"~",
]
SIGNS += [
    b"\xff",
    b"\xc2\x85",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x99\x82",
    b"1e999",
    b"-",
]
INPUTS = 2000
COMPONENTS = 400  # with --full; half of them in the suite
FOUND = [  # what ended in a traceback once, and the place that is told now
    (b"a  # b\n%YAML 0.2\nc: d\n", "2:1"),
    (b"%YAML " + b"9" * 5000 + b".1\n---\na: 1\n", "1:1"),
    (b'a: "\\UFFFFFFFF"\n', "1:5"),
    (b"\xef\xbb\xbf\xc3\xa9: \xff\n", "1:4"),
]


@pytest.mark.parametrize("name", MUCH)
def test_much_is_told_within_a_second(name):
    begun = time.process_time()
    found = told(MUCH[name])
    assert time.process_time() - begun < 1
    assert all(text.startswith("error[X1") and len(text) < 1_500 for text in found)
    assert found or name in ("a long title", "many samplers")


@pytest.mark.slow
def test_it_needs_no_more_than_200_mib():
    command = [sys.executable, ROOT / "tests" / "costly_specs.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 200


@pytest.mark.parametrize(("raw", "place"), FOUND, ids=range(len(FOUND)))
def test_what_was_found_is_told_with_its_place(raw, place):
    with pytest.raises(Failed) as failed:
        parse(raw, "spec.yaml")
    [told] = [d.text() for d in failed.value.diagnostics]
    assert told.startswith(("error[X101]: invalid YAML: ", "error[X101]: the spec is not "))
    assert f"--> spec.yaml:{place}\n" in told


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """A few bytes put in, changed, left out, moved, or taken from elsewhere."""
    for _ in range(rng.choice([1, 1, 2, 5])):
        i, j = sorted(rng.randrange(len(raw) + 1) for _ in range(2))
        j = min(j, i + rng.choice([1, 5, 80]))
        other = rng.choice(CORPUS)
        start = rng.randrange(len(other))
        put = [rng.choice(SIGNS), rng.randbytes(1), b"", raw[i:j] * 2, other[start : start + j - i]]
        raw = raw[:i] + rng.choice(put) + raw[rng.choice([i, j]) :]
    return raw


@pytest.mark.slow
@pytest.mark.parametrize("seed", shares(range(2), 2))
def test_bytes_are_a_spec_or_told_what_is_wrong(seed):
    rng, codes, accepted = random.Random(seed), set(), 0
    for _ in range(INPUTS):
        hide = []
        raw = mutated(rng.choice(rng.choice([GOOD, BAD])), rng)
        try:
            check(compose(validate(parse(raw))))
            accepted += 1
        except Failed as failed:
            found = failed.diagnostics
            codes |= {d.code for d in found}
            hide = [d.text() for d in found if any(map(hidden, d.text()))]
        except Exception as e:
            e.add_note(repr(raw))
            raise
        assert not hide, raw
    assert accepted > INPUTS / 50
    assert len(codes) > 12


@pytest.mark.slow
def test_components_of_ones_own_are_taken_or_told_what_is_wrong(tmp_path, capfd, request):
    rng, known, codes, accepted = random.Random(2), shipped(), set(), 0
    copy_beside(tmp_path)
    count = COMPONENTS if request.config.getoption("--full") else COMPONENTS // 2
    for _ in range(count):
        source, spec = rng.choice(known)
        source = spoiled(source, rng)
        (tmp_path / "mine.py").write_text(source, encoding="utf-8")
        (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
        try:
            render(plan_of(tmp_path / "spec.yaml"))
            accepted += 1
        except Failed as failed:
            codes |= {d.code for d in failed.diagnostics}
        except Exception as e:
            e.add_note(f"{spec}\n{source}")
            raise
    assert accepted > count / 10
    assert codes > {"X110", "X111", "X112", "X113", "X116"}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("source", "spec"), shipped())
def test_a_component_that_ships_is_taken_as_ones_own(tmp_path, source, spec):
    """Else the fuzzing would look at less than it says."""
    copy_beside(tmp_path)
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    assert {code[:2] for code in codes_of(tmp_path / "spec.yaml")} <= {"X2", "X3"}  # of elsewhere


def codes_of(spec):
    """Of all that is wrong with a spec."""
    try:
        plan_of(spec)
    except Failed as failed:
        return {d.code for d in failed.diagnostics}
    return set()
