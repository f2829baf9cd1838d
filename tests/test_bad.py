"""Bad specs, and exactly what a person is told: tests/bad/<name>.yaml beside <name>.txt.

`python -m pytest tests/test_bad.py --rewrite` writes the messages anew; read the diff.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("spec", BAD, ids=lambda p: p.stem)
def test_message(spec, request):
    with pytest.raises(Failed) as failed:
        plan_of(spec)
    told = "\n\n".join(d.text() for d in failed.value.diagnostics) + "\n"
    told = told.replace(str(spec), spec.name)
    record = spec.with_suffix(".txt")
    if request.config.getoption("--rewrite"):
        record.write_text(told)
    assert told == record.read_text()


def test_the_first_word_of_a_file_is_the_code_that_it_shows():
    for spec in BAD:
        assert f"error[{spec.stem.split('_')[0].upper()}]" in spec.with_suffix(".txt").read_text()


def run(*words, folder=None):
    command = [sys.executable, "-m", "xlm_spec", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


def test_the_command_prints_diagnostics_and_no_traceback(tmp_path):
    done = run("check", BAD[0], BAD[1])
    assert done.returncode == 1
    assert done.stdout == ""
    assert "error[" in done.stderr
    assert "Traceback" not in done.stderr
    assert run("check", tmp_path / "nowhere.yaml").returncode == 1
    assert run("check", tmp_path).returncode == 1  # a folder
    assert run("check").returncode == 2
    assert run("build", BAD[0], "--into", tmp_path).returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_json():
    done = run("check", "--json", next(b for b in BAD if b.stem == "x102_misspelt_key"))
    [found] = json.loads(done.stdout)
    assert found["code"] == "X102"
    assert (found["line"], found["column"], found["end_column"]) == (4, 9, 16)
    assert "schedule" in found["hint"]
    assert set(found) == {
        "code",
        "severity",
        "message",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
        "hint",
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"- a\n",
        b"a: &x [*x]\n",
        b"a: {{{{\n",
        b"xlm_spec: !!python/object:os.system x\n",
        b"a: 1\n---\nb: 2\n",
        b"? [a]\n: 1\n",
        b"a:\n\t- b\n",
        b"[" * 10_000,
        b'title: "\\0"\n',
        b'title: "\\uD800"\n',
        b"xlm_spec: " + b"9" * 5000,
        b"x" * (1 << 19),
        b"a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\n"
        b"d: &d [*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
    ],
    ids=lambda b: repr(b[:20]),
)
def test_text_that_is_no_spec_ends_in_one_diagnostic(raw):
    from xlm_spec.compiler.load import parse
    from xlm_spec.compiler.validate import validate

    with pytest.raises(Failed) as failed:
        validate(parse(raw))
    assert failed.value.diagnostics


def test_crlf_and_a_byte_order_mark_are_read():
    from making import text

    from xlm_spec.compiler.load import parse
    from xlm_spec.compiler.validate import validate

    raw = b"\xef\xbb\xbf" + text().replace("\n", "\r\n").encode()
    assert validate(parse(raw)).name == "method"
