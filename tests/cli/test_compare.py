"""`xlm-spec compare`: a table and a page; finished runs are not repeated; bad input is an error."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from html_links import Links
from methods import MASKED, PLAIN, ROOT, text
from package_runs import package_of
from tiny_judge import tiny_judge
from warm_python import python

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.workbench import runs
from xlm_spec.workbench.processes import Processes
from xlm_spec.workbench.trials import resolved_sets

pytestmark = pytest.mark.slow
SPECS = [ROOT / "specs" / f"{n}.yaml" for n in ("arlm", "ilm")]
SETS = ["backbone.layers=1", "backbone.width=16", "backbone.heads=2", "train.batch=16"]
TASK = ROOT / "tests" / "tiny_task.py"
TINY = ["--task", str(TASK), "--steps", "4", *(w for s in SETS for w in ("--set", s))]


def command(*words, interpreter=None):
    return [interpreter or python(), "-m", "xlm_spec", "compare", *map(str, words)]


def compare(*words, check=True, folder=None, **more):
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command(*words, **more),
        capture_output=True,
        env=env,
        cwd=folder,
        encoding="utf-8",
        errors="replace",
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def done_at(out):
    """When each run was trained and scored."""
    files = [*out.glob("runs/*/trained"), *out.glob("runs/*/figures/test-*.json")]
    return {str(f.relative_to(out)): f.stat().st_mtime_ns for f in files}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Killed in its third run of four, then started again."""
    out = tmp_path_factory.mktemp("comparison") / "out"
    words = [*SPECS, *TINY, "--seeds", 2, "--out", out]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command(*words), env=env, stderr=subprocess.PIPE, text=True)
    third = next(line for line in process.stderr if line.startswith("arlm, seed 1: training"))
    while not len(list(out.glob("runs/arlm-*-seed1-*"))):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = done_at(out)
    return out, third, before, compare(*words)


def test_finished_runs_are_not_repeated(compared):
    out, _, before, done = compared
    assert len(before) == 4, "two runs, each trained and scored by its one sampler"
    after = done_at(out)
    assert len(after) == 8
    assert {k: after[k] for k in before} == before
    assert done.stderr.count(": already done") == 2
    assert done.stderr.count(": trained in") == 2


def test_the_table_has_a_row_for_each_sampler(compared):
    out, _, _, done = compared
    table = json.loads((out / "table.json").read_text())
    assert len(table["rows"]) == 2
    assert [r["loss_kind"] for r in table["rows"]] == ["exact", "objective"]
    assert "the loss is" in done.stdout
    assert "do not compare (arlm: exact NLL, ilm: objective)" in (out / "report.html").read_text()
    assert all(word in done.stdout for word in ("arlm", "ilm", "autoregressive", "insertion"))
    for words in ("sort", "size cpu", "test split", "4 steps", "2 seeds", "thread"):
        assert words in table["caption"]
    assert "| arlm" in (out / "table.md").read_text()


def test_the_report_is_one_page_that_loads_nothing(compared):
    page = (compared[0] / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 5_000_000
    found = Links(page)
    assert found.loads == []
    assert not re.search(r"(?:src|href)=['\"]https?:", page)
    assert not re.search(r"url\(\s*['\"]?https?:|@import", page)
    assert "<svg" in page
    for word in ("arlm", "ilm", "insertion", "gap_cross_entropy", "sequence accuracy"):
        assert word in page


def test_settings_whose_value_is_code_reach_the_runs():
    """As `train --set` reads them again, with absolute paths."""
    given = ("data.metrics=distinct,./m.py:f", "train.optimizer={kind: sgd}", "train.batch=4")
    sets = (*given, "train.optimizer.momentum=0.9")
    package = package_of("mdlm")
    run = resolve_config(package, {"fill": "eos"}, {}, "star_mini", "cpu", sets=sets)
    words = resolved_sets(SimpleNamespace(sets=sets), SimpleNamespace(run=run))
    again = resolve_config(package, {"fill": "eos"}, {}, "star_mini", "cpu", sets=words)
    assert again.settings == run.settings
    assert again.data.metrics == ("distinct", f"{Path('m.py').resolve()}:f")


def test_another_request_gets_other_folders(compared):
    out, *_ = compared
    before = done_at(out)
    words = [a if a != "4" else "3" for a in TINY]
    compare(*SPECS[:1], *words, "--out", out)
    after = done_at(out)
    assert {k: after[k] for k in before} == before
    assert len(after) == len(before) + 2


def test_flops_give_each_method_its_own_number_of_steps(tmp_path):
    words = [w for w in TINY if w not in ("--steps", "4")]
    done = compare(*SPECS, *words, "--flops", "1e9", "--out", tmp_path / "out")
    found = re.findall(r"([\d.e+]+) FLOPs per training step: (\d+) steps", done.stderr)
    each = [(float(flops), int(steps)) for flops, steps in found]
    assert len({flops for flops, _ in each}) == 2, "the methods cost different numbers"
    for flops, steps in each:
        assert steps > 5
        assert abs(steps - 1e9 / flops) < 1.01  # shown with four digits, rounded down
    table = json.loads((tmp_path / "out" / "table.json").read_text())
    assert [r["steps"]["mean"] for r in table["rows"]] == [steps for _, steps in each]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--task", "nowhere"], "X501"),
        ([*TINY, "--size", "huge"], "X605"),
        ([*TINY, "--set", "backbone.layer=2"], "X601"),
        ([*TINY, "--set", "train.steps=7"], "X805"),
        ([*TINY, "--set", "backbone.heads=3"], "X604"),
    ],
)
def test_bad_input_is_an_error_before_training(words, code, tmp_path):
    done = compare(SPECS[0], *words, "--out", tmp_path / "out", check=False)
    assert done.returncode == 1
    assert f"error[{code}]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/runs/*"))


def test_two_specs_with_the_same_name(tmp_path):
    for folder, base in (("a", MASKED), ("b", PLAIN)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.yaml").write_text(text(base, "same"))
    words = [tmp_path / f / "same.yaml" for f in "ab"]
    done = compare(*words, *TINY, "--out", tmp_path / "out", check=False)
    assert done.returncode == 1
    assert "error[X801]: two specs have the name `same`" in done.stderr


def test_specs_of_different_length_need_a_budget(tmp_path):
    for name, steps in (("short", 3), ("long", 5)):
        (tmp_path / f"{name}.yaml").write_text(text(PLAIN, name, train=f"{{steps: {steps}}}"))
    words = [tmp_path / "short.yaml", tmp_path / "long.yaml", "--task", "star_mini"]
    words += ["--set", "backbone.layers=1", "--set", "backbone.width=24"]
    done = compare(*words, "--size", "paper", "--out", tmp_path / "out", check=False)
    assert done.returncode == 1
    assert "error[X806]" in done.stderr
    assert "short 3, long 5" in done.stderr
    assert not list(tmp_path.glob("out/runs/*"))


def test_a_failed_training_is_reported_with_its_log(tmp_path):
    """Its last words, and where the rest is."""
    package, run = tmp_path / "broken", tmp_path / "run"
    (package / "broken").mkdir(parents=True)
    (package / "broken" / "__main__.py").write_text("raise SystemExit('no such luck')")
    with pytest.raises(Failed) as failed:
        runs.train(package, run, ["--steps", "1"], Processes(1))
    [diagnostic] = failed.value.diagnostics
    assert diagnostic.code == "X804"
    assert "`broken train` failed (exit code 1): no such luck" in diagnostic.message
    assert diagnostic.file == str(run / runs.LOG)
    assert not (run / runs.TRAINED).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_comparison_says_how_to_continue(number, tmp_path):
    words = [SPECS[0], *TINY, "--steps", "100000", "--out", tmp_path / "out"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command(*words),
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may ignore it
    )
    said = [next(line for line in process.stderr if ": training" in line)]
    process.send_signal(number)
    said += process.stderr.readlines()
    assert process.wait() == 1
    assert "error[X807]" in "".join(said)
    assert "Traceback" not in "".join(said)
    assert not list(tmp_path.glob("out/runs/*/trained"))


def test_running_text_from_a_path_of_the_folder_where_the_command_runs(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on the mat. " * 300)
    sets = [w for s in (*SETS, "data.file=text.txt", "data.block=16") for w in ("--set", s)]
    words = [*SPECS, "--task", "text", "--steps", "2", *sets]
    compare(*words, "--out", "out", folder=tmp_path)
    table = json.loads((tmp_path / "out" / "table.json").read_text())
    assert [r["bound"] for r in table["rows"]] == [False, True]
    assert all(r["bits_per_character"]["mean"] > 0 for r in table["rows"])


def test_running_text_from_a_path_of_the_spec(tmp_path):
    """Beside the spec, wherever the command runs; and the package trains on it by itself."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "text.txt").write_text("the cat sat on the mat. " * 300)
    spec = (ROOT / "specs" / "mdlm.yaml").read_text()
    spec = spec.replace("data: {task: star_easy}", "data: {task: text, file: text.txt, block: 16}")
    (tmp_path / "specs" / "mdlm.yaml").write_text(spec)
    words = ["--task", "text", "--steps", "2", *(w for s in SETS for w in ("--set", s))]
    compare("specs/mdlm.yaml", *words, "--out", "a", folder=tmp_path)
    compare(tmp_path / "specs/mdlm.yaml", *words, "--out", tmp_path / "a")  # nothing left to do
    assert len(list((tmp_path / "a" / "runs").iterdir())) == 1
    (tmp_path / "specs" / "text.txt").write_text("a dog sat on the mat. " * 300)
    compare("specs/mdlm.yaml", *words, "--out", "a", folder=tmp_path)
    assert len(list((tmp_path / "a" / "runs").iterdir())) == 2  # other data are another run


def test_a_comparison_depends_on_no_variable_of_python(tmp_path, monkeypatch):
    """Both hold for the processes that it starts, too."""
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    words = [SPECS[0], *TINY, "--out", tmp_path / "äus-漢"]
    assert compare(*words, interpreter=sys.executable).returncode == 0


def test_usage(tmp_path):
    words = [SPECS[0], *TINY, "--minutes", 1, "--out", tmp_path]
    assert compare(*words, check=False).returncode == 2
    assert compare(SPECS[0], check=False).returncode == 2


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    done = compare(SPECS[0], *TINY, "--out", tmp_path / "file" / "out", check=False)
    assert done.returncode == 1
    assert "error[X803]" in done.stderr
    assert "Traceback" not in done.stderr


def test_text_has_its_protocol_and_its_frontier(tmp_path):
    """In the caption, the record and the report; a judge of other tasks is an error."""
    judge = tiny_judge(tmp_path / "judge", 64, letters=True)
    (tmp_path / "a.txt").write_text("abcab " * 400)
    sets = [*SETS, f"data.file={tmp_path / 'a.txt'}", "data.block=8"]
    flags = ["--steps", 2, *(w for s in sets for w in ("--set", s)), "--judge", judge]
    words = ["--task", "text", *flags, "--out", tmp_path / "out"]
    done = compare(SPECS[0], *words)
    assert "protocol v1; sequences wrapped, 8 tokens; judge" in done.stdout
    assert "judge NLL" in done.stdout
    [row] = json.loads((tmp_path / "out" / "table.json").read_text())["rows"]
    assert row["protocol"] == "v1"
    assert row["likelihood"] == "exact"
    assert row["bits_per_byte"]["mean"] > 0
    points = json.loads((tmp_path / "out" / "frontier.json").read_text())["points"]
    assert {p["sampler"] for p in points} == {"autoregressive", "data"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Judge NLL against entropy" in page
    assert (tmp_path / "out" / "frontier.svg").read_text().strip() in page
    before = done_at(tmp_path / "out")
    compare(SPECS[0], *words)
    assert done_at(tmp_path / "out") == before  # nothing is measured again
    wrong = compare(SPECS[0], *TINY, "--judge", judge, "--out", tmp_path / "x", check=False)
    assert wrong.returncode == 1
    assert "--judge applies to tasks of text" in wrong.stderr
