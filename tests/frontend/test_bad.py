"""Specs that are wrong, and exactly what the compiler prints for each: `tests/bad/<code>.md`.

`python -m pytest tests/frontend/test_bad.py --rewrite` writes the outputs anew; read the diff.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from bad_specs import FOLDER, bad_specs
from methods import ROOT, text

from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed

COMPILER = ROOT / "xlm_spec" / "compiler"
OF_FILES = {
    "X109",
    "X110",
    "X111",
    "X112",
    "X113",
    "X114",
    "X115",
    "X308",
}  # of a component of one's own
WARNINGS = {"X351", "X352", "X353", "X354", "X355", "X356", "X357"}
BAD = bad_specs()


@pytest.mark.parametrize("case", BAD, ids=lambda c: f"{c.code}-{c.name}")
def test_output(case, request, tmp_path):
    file = case.write(tmp_path)
    with pytest.raises(Failed) as failed:
        plan_of(file)
    output = "\n\n".join(d.text() for d in failed.value.diagnostics) + "\n"
    output = output.replace(f"{file.parent}{os.sep}", "")
    if request.config.getoption("--rewrite"):
        case.rewrite(output)
    else:
        assert output == case.output


def test_a_case_stands_on_the_page_of_its_code_under_a_name_of_its_own():
    for case in BAD:
        assert f"error[{case.code}]" in case.output, case.heading
    assert len({(c.code, c.name) for c in BAD}) == len(BAD)


def test_every_heading_of_a_page_is_a_case():
    for page in FOLDER.iterdir():
        headings = re.findall("^## (.+)$", page.read_text(encoding="utf-8"), re.M)
        assert headings == [c.heading for c in BAD if c.page == page]


PAGE = """# X000

```yaml
a: 1
b: {c: 2}
d:
  - 3
```

## Lines that replace and extend

```yaml changes
b:
  c: 4
e: 5
```

`mine.py`:

```python
x = 1
```

```text
## Lines of the output
```

## A complete spec

```yaml
a: 2
```

```text
```
"""


def test_cases_of_a_page(tmp_path):
    page = tmp_path / "X000.md"
    page.write_text(PAGE)
    first, second = bad_specs(tmp_path)
    assert first.text == "a: 1\nb:\n  c: 4\nd:\n  - 3\ne: 5\n"
    assert (first.output, first.components) == ("## Lines of the output\n", {"mine.py": "x = 1\n"})
    assert (second.name, second.text, second.components) == ("a_complete_spec", "a: 2\n", {})
    first.rewrite("one\ntwo\n")
    second.rewrite("three\n")  # whose place has moved
    assert [c.output for c in bad_specs(tmp_path)] == ["one\ntwo\n", "three\n"]
    assert (second.write(tmp_path).read_text(), second.code) == ("a: 2\n", "X000")


def run(*words, folder=None):
    command = [sys.executable, "-m", "xlm_spec", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


def test_the_command_prints_diagnostics_and_no_traceback(bad_files, tmp_path):
    done = run("check", *bad_files[:2])
    assert done.returncode == 1
    assert done.stdout == ""
    assert "error[" in done.stderr
    assert "Traceback" not in done.stderr
    assert run("check", tmp_path / "nowhere.yaml").returncode == 1
    assert run("check", tmp_path).returncode == 1  # a folder
    assert run("check").returncode == 2
    assert run("build", bad_files[0], "--into", tmp_path).returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_json(tmp_path):
    [case] = [c for c in BAD if (c.code, c.name) == ("X102", "misspelt_key")]
    done = run("check", "--json", case.write(tmp_path))
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


def spec(line: str) -> bytes:
    """A spec that is right, and a line more."""
    return text().encode() + line.encode("latin-1") + b"\n"


TEXTS = {
    "nothing": b"",
    "empty_lines": b"\n" * 30_000,
    "a_comment": b"# todo\n",
    "utf_16": "xlm_spec: 1\n".encode("utf-16"),
    "utf_32": "xlm_spec: 1\n".encode("utf-32"),
    "latin_1": spec("title: Masqu\xe9"),
    "half_a_character": spec("title: \xf0\x9f"),
    "nul": spec("title: a\0b"),
    "bell": spec("title: \a"),
    "escape_sequence": spec("title: \33[2J"),
    "escaped_nul": spec('title: "\\0"'),
    "escaped_half": spec('title: "\\uD800"'),
    "control_character_in_a_key": spec('"a\\x07": 1'),
    "a_binary_file": bytes(range(256)) * 8,
    "a_zip_file": b"PK\3\4" + bytes(1000),
    "a_list": b"- a\n",
    "a_word": b"mdlm",
    "a_number": b"42",
    "open_brackets": b"[" * 30_000,
    "open_braces": b"{a: " * 8_000,
    "open_pairs": b"[1," * 10_000,
    "dashes": b"- " * 16_000,
    "questions": b"? " * 16_000,
    "deeper_and_deeper": "".join(" " * i + "a:\n" for i in range(200)).encode(),
    "documents": b"---\n" * 8_000,
    "two_specs": text().encode() + b"---\n" + text().encode(),
    "many_values": b"train: [" + b"1," * 6_000 + b"1]\n",
    "many_keys": "".join(f"k{i}: 1\n" for i in range(3_500)).encode(),
    "many_items": b"- a\n" * 8_000,
    "one_long_line": b"x" * 32_000,
    "one_long_text": spec("title: [" + "x" * 30_000 + "]"),
    "words": b"x y " * 8_000,
    "a_quote_never_closed": b"title: '" + b"x\n" * 15_000,
    "escapes": b'"' + b"\\n" * 16_000,
    "anchors": b"&a " * 10_000,
    "exclamations": b"!" * 32_000,
    "percents": b"%" * 32_000,
    "a_digit_after_another": spec("train: {seed: " + "9" * 30_000 + "}"),
    "huge": b"x" * (1 << 25),
    "an_alias_of_itself": b"a: &x [*x]\n",
    "aliases_of_aliases": b"a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n"
    b"c: &c [*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
    "python": b"xlm_spec: !!python/object/apply:os.system [ls]\n",
    "json_with_comments": b'{"xlm_spec": 1, // first\n "name": "a"}\n',
    "toml": b'[noise]\nprocess = "mask"\n',
    "html": b"<!doctype html>\n<html><body>404: not found</body></html>\n",
    "a_conflict": b"<<<<<<< HEAD\nname: a\n=======\nname: b\n>>>>>>> main\n",
}


@pytest.mark.parametrize("raw", TEXTS.values(), ids=TEXTS)
def test_text_that_is_no_spec_ends_at_once_in_one_diagnostic_with_its_place(raw, tmp_path):
    file = tmp_path / "method.yaml"
    file.write_bytes(raw)
    start = time.process_time()
    with pytest.raises(Failed) as failed:
        plan_of(file)
    shown = [d.text() for d in failed.value.diagnostics]
    assert time.process_time() - start < 1
    assert len(shown) == 1
    assert f"--> {file}:" in shown[0]
    assert all(c.isprintable() or c in "\n\t" for c in shown[0])
    assert len(shown[0]) < 1500


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, ({bytes}, {bytes}))
from xlm_spec.cli import cli
cli()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit is not kept")
def test_no_text_takes_much_memory(tmp_path):
    files = []
    for name, raw in TEXTS.items():
        files.append(str(tmp_path / f"{name}.yaml"))
        Path(files[-1]).write_bytes(raw)

    def within(limit):
        command = [sys.executable, "-c", LIMITED.format(bytes=limit), "check", *files]
        return subprocess.run(command, capture_output=True, text=True)

    done = within(200_000_000)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    told = done.stderr.count("error[X101]")
    assert told >= len(TEXTS) - 5
    assert within(5_000_000).stderr.count("error[X101]") < told  # the limit is kept


def places(folder: Path) -> dict[str, Path]:
    """Paths where no spec can be read."""
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "locked.yaml").write_bytes(text().encode())
    (folder / "locked.yaml").chmod(0)
    return {
        "No such file": folder / "nowhere.yaml",
        "Is a directory": folder,
        "Not a directory": folder / "locked.yaml" / "a.yaml",
        "Too many levels of symbolic links": folder / "loop.yaml",
        "File name too long": folder / ("x" * 5_000),
        "Permission denied": folder / "locked.yaml",
    }


def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path):
    found = places(tmp_path)
    if os.geteuid() == 0:
        del found["Permission denied"]  # root reads it
    for told, path in found.items():
        with pytest.raises(Failed) as failed:
            plan_of(path)
        [d] = failed.value.diagnostics
        assert d.code == "X101"
        assert told in d.message
        assert not d.hint
        assert d.file == str(path)


def test_a_folder_with_a_spec_is_told_with_the_spec(tmp_path):
    (tmp_path / "spec.yaml").write_text(text())
    with pytest.raises(Failed) as failed:
        plan_of(tmp_path)
    [d] = failed.value.diagnostics
    assert d.message == "cannot read the spec: Is a directory"
    assert d.hint == f"did you mean `{tmp_path / 'spec.yaml'}`?"


def test_names_of_files_cannot_move_the_cursor(tmp_path):
    name = os.fsdecode(b"\xff\33[2J.yaml")
    done = run("check", tmp_path / name)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "\33" not in done.stderr


@pytest.mark.parametrize("words", [["schema"], ["check", "--json"]], ids=["schema", "check"])
def test_a_reader_that_goes_away_sees_no_traceback(words, bad_files):
    files = bad_files if "check" in words else []
    command = [sys.executable, "-m", "xlm_spec", *words, *map(str, files)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as child:
        child.stdout.readline()
        child.stdout.close()  # as `head -1` does
        assert b"Traceback" not in child.stderr.read()


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_every_end_of_line_and_a_byte_order_mark_are_read(ends, mark):
    raw = mark + text(name="metod").replace("\n", ends).encode()
    assert validate(parse(raw)).name == "metod"
    raw = mark + text(targt="x").replace("\n", ends).encode()
    with pytest.raises(Failed) as failed:
        validate(parse(raw))
    [d] = failed.value.diagnostics
    assert (d.as_json()["line"], d.as_json()["column"]) == (7, 1)


def test_every_code_of_a_spec_is_shown_twice():
    source = "".join(p.read_text() for p in COMPILER.rglob("*.py"))
    codes = set(re.findall(r'"(X[123]\d\d)"', source)) - OF_FILES - WARNINGS
    shown = Counter(case.code for case in BAD)
    assert {c for c in codes if shown[c] < 2} == set()
    assert set(shown) <= codes | OF_FILES
    assert len(BAD) >= 160


def test_diagnostics_stand_in_the_order_of_the_text_and_none_twice():
    several = 0
    for case in BAD:
        places = re.findall(r"-->.*:(\d+):(\d+)$", case.output, re.M)
        at = [(int(line), int(column)) for line, column in places]
        told = re.findall(r"^error.*\n.*$", case.output, re.M)
        assert at == sorted(at), case.name
        assert len(told) == len(set(told)) == len(at), case.name
        several += len(at) > 1
    assert several >= 20


def test_a_warning_is_told_and_fails_nothing(tmp_path):
    """On stderr by `check` and `build`, on stdout by `--json`; `explain` shows each of them."""
    spec = tmp_path / "method.yaml"
    spec.write_text(text(noise="{process: mask, schedule: {kind: linear, eps: 1e-3}}"))
    told = "warning[X353]: `eps: 0.001` leaves clean tokens at t = 1"
    for words in (["check", spec], ["build", spec, "--into", tmp_path]):
        done = run(*words)
        assert done.returncode == 0
        assert told in done.stderr
        assert done.stdout == ""
    done = run("check", "--json", spec)
    assert done.returncode == 0
    [found] = json.loads(done.stdout)
    assert (found["code"], found["severity"], found["line"]) == ("X353", "warning", 3)
