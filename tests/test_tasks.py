"""Tasks of a user's own, and what they let a run choose."""

import json
import textwrap

import pytest
import torch
import yaml
from running import TINY, package_of, run

from xlm_spec.runtime import tasks
from xlm_spec.runtime.choose import choose

pytestmark = pytest.mark.xdist_group("runtime")

REVERSE = '''
"""Write a list of digits backwards."""

from xlm_spec.runtime.tasks.pairs import Pairs
from xlm_spec.runtime.words import Words


def draw(rng):
    digits = [str(rng.randrange(10)) for _ in range(rng.randint(3, 6))]
    return " ".join(digits), " ".join(reversed(digits))


TASK = Pairs(
    name="reverse",
    words=Words(tuple("0123456789")),
    draw=draw,
    longest_prompt=6,
    longest_answer=6,
    cpu={"train.steps": 500},
)
'''
SMALL = ["--set", "backbone.layers=1", "--set", "backbone.width=32", "--set", "backbone.heads=2"]


def written(folder, source, name="my_task.py"):
    file = folder / name
    file.write_text(textwrap.dedent(source))
    return file


def test_a_task_in_a_file_of_its_own(tmp_path, monkeypatch):
    """Trained, resumed, evaluated, sampled from; the run remembers where its task is."""
    written(tmp_path, REVERSE)
    folder = tmp_path / "run"
    monkeypatch.chdir(tmp_path)
    run("mdlm", "train", "--task", "./my_task.py", "--size", "cpu", *SMALL, "--steps", 20,
        "--set", "train.sample_examples=10", "--run", folder)  # fmt: skip
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["task"] == config["data"]["task"] == str((tmp_path / "my_task.py").resolve())
    monkeypatch.chdir("/")
    found = json.loads(run("mdlm", "eval", "--run", folder, "--json").stdout)
    assert found["task"] == "reverse"
    assert found["examples"] == 1000
    assert 0 <= found["sequence_accuracy"] <= found["token_accuracy"] < 1
    words = ["generate", "--run", folder, "--prompt", "1 2 3", "--json"]
    assert json.loads(run("mdlm", *words).stdout)["prompt"] == "1 2 3"
    again = tmp_path / "again"
    run("mdlm", "train", "--config", folder / "config.yaml", "--run", again)
    assert "finished" in run("mdlm", "train", "--run", again, "--resume").stderr


def test_pairs_are_apart(tmp_path):
    task = tasks.find(str(written(tmp_path, REVERSE)))
    seen = {
        s: {(*p[:n],) for p, n in zip(*map(torch.Tensor.tolist, task.rows(s)[:2]), strict=True)}
        for s in ("train", "val", "test")
    }
    assert len(task.rows("train").prompt) == 20_000
    assert not seen["test"] & (seen["val"] | seen["train"])
    assert not seen["val"] & seen["train"]
    again = tasks.find(str(tmp_path / "my_task.py"))
    assert torch.equal(again.rows("val").prompt, task.rows("val").prompt)


OWN = """
class Mine:
    def __getattr__(self, name):
        return getattr(star, name)
    def with_options(self, options, words=None):
        return self
    def rows(self, split):
        return {}[split]
TASK = Mine()
"""

WRONG = {
    "no file": (None, "No such file"),
    "no TASK": ("x = 1", "the file holds no TASK"),
    "raises": ("x = 1\n1 / 0", "raises ZeroDivisionError: division by zero"),
    "syntax": ("def (", "raises SyntaxError: invalid syntax"),
    "lacks": ("class TASK: name = 'mine'", "TASK lacks `words`, `longest_prompt`"),
    "another file": ("import broken_module", "raises SyntaxError"),
    "leaves": ("import sys\nsys.exit(0)", "raises SystemExit: 0"),
    "bad draw": (REVERSE.replace("reversed(digits)", "None"), "raises TypeError"),
    "few": (REVERSE.replace("rng.randint(3, 6)", "2"), "too few prompts"),
    "long": (REVERSE.replace("longest_answer=6", "longest_answer=5"), "an answer of 6 words"),
    "words": (REVERSE.replace('"0123456789"', '"012345678"'), "the text holds `9`"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_task_ends_in_one_diagnostic(kind, tmp_path, monkeypatch):
    source, told = WRONG[kind]
    (tmp_path / "broken_module.py").write_text("x = 1\n" * 9 + "def (")
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "my_task.py" if source is None else written(tmp_path, source)
    done = run(
        "mdlm", "train", "--task", file, "--size", "cpu", "--run", tmp_path / "run", check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert "error[X505]" in done.stderr or kind == "words"
    assert told in done.stderr
    assert not (tmp_path / "run").exists()


def test_the_line_that_raises_is_shown(tmp_path):
    file = written(tmp_path, "x = 1\ny = x / 0\n")
    told = run("mdlm", "info", "--task", file, check=False).stderr
    assert f"--> {file}:2:1\n" in told
    assert "2 | y = x / 0" in told


def test_a_class_of_ones_own_that_raises_is_told(tmp_path):
    file = written(tmp_path, "from xlm_spec.runtime.tasks.star_mini import TASK as star\n" + OWN)
    done = run("mdlm", "train", "--task", file, "--run", tmp_path / "run", check=False)
    assert "error[X505]: the task's file raises KeyError" in done.stderr
    assert f"{file}:9:9" in done.stderr


def test_a_checkpoint_knows_its_words(tmp_path):
    """Other words under the same ids are another task."""
    file, folder = written(tmp_path, REVERSE), tmp_path / "run"
    run("mdlm", "train", *TINY[2:], "--task", file, "--steps", 2, "--run", folder)
    file.write_text(REVERSE.replace('"0123456789"', '"9876543210"'))
    done = run("mdlm", "eval", "--run", folder, "--split", "val", check=False)
    assert done.returncode == 1
    assert "error[X702]" in done.stderr


def test_an_option_of_a_task(tmp_path):
    """It is chosen like any number, recorded, and known to a checkpoint."""
    folder = tmp_path / "edges"
    run("arlm", "train", *TINY, "--set", "data.format=edges", "--steps", 2, "--run", folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["data"]["format"] == "edges"
    told = json.loads(run("arlm", "eval", "--run", folder, "--split", "val", "--json").stdout)
    assert told["network_calls"] == 8  # the prompt, six tokens, EOS
    [line] = (folder / "predictions" / "val-0000002-0.jsonl").read_text().splitlines()[:1]
    truth = json.loads(line)["truth"].split()
    assert truth[1:-1:2] == truth[2::2]
    shown = run("arlm", "info", "--task", "star_mini", "--set", "data.format=edges").stdout
    assert "data.format                      edges" in shown
    assert "29 sites" in shown


def test_an_option_in_a_spec_belongs_to_its_task():
    spec = {"task": "star_mini", "format": "edges"}
    chosen = choose(package_of("arlm"), spec, {})
    assert chosen.task.options.format == "edges"
    chosen = choose(package_of("arlm"), spec, {}, sets=["data.format=nodes"])
    assert chosen.numbers["data.format"] == "nodes"


@pytest.mark.parametrize(
    ("setting", "code", "told"),
    [
        ("data.format=edge", "X602", "did you mean `edges`?"),
        ("data.formt=edges", "X601", "did you mean `data.format`?"),
    ],
)
def test_a_wrong_option_ends_in_one_diagnostic(setting, code, told):
    done = run("arlm", "info", "--task", "star_mini", "--set", setting, check=False)
    assert done.returncode == 1
    assert f"error[{code}]" in done.stderr
    assert told in done.stderr
