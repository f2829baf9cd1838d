"""The output of `check`: colours only on a terminal, JSON that matches its schema."""

import json
import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from methods import ROOT, text

from xlm_spec.cli import cli


def run(*words):
    return CliRunner().invoke(cli, [str(w) for w in words])


def on_a_terminal(words, **more):
    """What a command prints where stderr is a terminal."""
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | more
    command = [sys.executable, "-m", "xlm_spec", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=env)
    os.close(theirs)
    output = b""
    try:
        while part := os.read(ours, 4096):
            output += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.communicate()[0] == b""
    return output.decode()


def test_colours_only_on_a_terminal_that_supports_them(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text(noise="{process: absorb}"))
    unwise = tmp_path / "unwise.yaml"
    unwise.write_text(text(noise="{process: mask, schedule: {kind: linear, eps: 0.1}}"))
    shown = on_a_terminal(["check", wrong, unwise])
    assert "\33[31merror[X105]" in shown
    assert "\33[33mwarning[X353]" in shown
    assert "\33" not in on_a_terminal(["check", wrong, unwise], NO_COLOR="1")
    assert "\33" not in run("check", wrong, unwise).stderr


@pytest.fixture(scope="module")
def valid():
    done = run("schema", "--diagnostics")
    Draft202012Validator.check_schema(json.loads(done.stdout))
    return Draft202012Validator(json.loads(done.stdout)).is_valid


def test_json_matches_its_schema(valid, bad_files, tmp_path):
    """Of all bad specs at once, of a warning, of a file that is not there, of none."""
    unwise = tmp_path / "unwise.yaml"
    unwise.write_text(text(noise="{process: mask, schedule: {kind: linear, eps: 0.1}}"))
    done = run("check", "--json", *bad_files, unwise, tmp_path / "nowhere.yaml")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert valid(found)
    assert len(found) > len(bad_files)
    assert {d["severity"] for d in found} == {"error", "warning"}
    assert [d["line"] for d in found if d["file"].endswith("nowhere.yaml")] == [None]
    assert json.loads(run("check", "--json", *(ROOT / "specs").glob("mdlm*.yaml")).stdout) == []


def test_control_the_schema_rejects_another_form(valid, bad_files):
    [good] = json.loads(run("check", "--json", bad_files[0]).stdout)[:1]
    assert valid([good])
    for wrong in ({"line": 0}, {"severity": "fatal"}, {"code": "E1"}, {"more": 1}):
        assert not valid([good | wrong])
    assert not valid([{k: v for k, v in good.items() if k != "hint"}])
