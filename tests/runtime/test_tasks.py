"""Tasks of a user's own, and what they let a run choose."""

import json
import textwrap

import pytest
import torch
import yaml
from package_runs import TINY, package_of, run

from xlm_spec.compiler.axes import AXES, components_of
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.config.spec_keys import AXIS_KEYS, PARAMETERS
from xlm_spec.runtime.evaluation.metric_tracker import figure

REVERSE = '''
"""Write a list of digits backwards."""

from xlm_spec.runtime.tasks.pairs import Pairs
from xlm_spec.runtime.data.tokenizers import WordTokenizer


def draw(rng):
    digits = [str(rng.randrange(10)) for _ in range(rng.randint(3, 6))]
    return " ".join(digits), " ".join(reversed(digits))


TASK = Pairs(
    name="reverse",
    tokenizer=WordTokenizer(tuple("0123456789")),
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


@pytest.mark.slow
def test_a_task_from_a_file(tmp_path, monkeypatch):
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


@pytest.mark.slow
def test_the_prompts_of_two_splits_do_not_overlap(tmp_path):
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
    def with_options(self, options, tokenizer=None):
        return self
    def rows(self, split):
        return {}[split]
TASK = Mine()
"""

WRONG = {
    "no file": (None, "No such file"),
    "no TASK": ("x = 1", "the file does not define TASK"),
    "raises": ("x = 1\n1 / 0", "raises ZeroDivisionError: division by zero"),
    "syntax": ("def (", "raises SyntaxError: invalid syntax"),
    "lacks": ("class TASK: name = 'mine'", "TASK lacks `tokenizer`, `longest_prompt`"),
    "another file": ("import broken_module", "raises SyntaxError"),
    "leaves": ("import sys\nsys.exit(0)", "raises SystemExit: 0"),
    "bad draw": (REVERSE.replace("reversed(digits)", "None"), "raises TypeError"),
    "few": (REVERSE.replace("rng.randint(3, 6)", "2"), "too few prompts"),
    "long": (REVERSE.replace("longest_answer=6", "longest_answer=5"), "an answer of 6 words"),
    "words": (REVERSE.replace('"0123456789"', '"012345678"'), "`9` is not in the vocabulary"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_task_gives_one_diagnostic(kind, tmp_path, monkeypatch):
    source, message = WRONG[kind]
    (tmp_path / "broken_module.py").write_text("x = 1\n" * 9 + "def (")
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "my_task.py" if source is None else written(tmp_path, source)
    done = run(
        "mdlm", "train", "--task", file, "--size", "cpu", "--run", tmp_path / "run", check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert "error[X505]" in done.stderr or kind == "words"
    assert message in done.stderr
    assert not (tmp_path / "run").exists()


def test_the_line_that_raises_is_shown(tmp_path):
    file = written(tmp_path, "x = 1\ny = x / 0\n")
    output = run("mdlm", "info", "--task", file, check=False).stderr
    assert f"--> {file}:2:1\n" in output
    assert "2 | y = x / 0" in output


def test_an_exception_of_a_custom_task_class_is_reported(tmp_path):
    file = written(tmp_path, "from xlm_spec.runtime.tasks.star_mini import TASK as star\n" + OWN)
    done = run("mdlm", "train", "--task", file, "--run", tmp_path / "run", check=False)
    assert "error[X505]: the task file raises KeyError" in done.stderr
    assert f"{file}:9:9" in done.stderr


@pytest.mark.slow
def test_a_checkpoint_knows_its_words(tmp_path):
    """Other words under the same ids are another task."""
    file, folder = written(tmp_path, REVERSE), tmp_path / "run"
    run("mdlm", "train", *TINY[2:], "--task", file, "--steps", 2, "--run", folder)
    file.write_text(REVERSE.replace('"0123456789"', '"9876543210"'))
    done = run("mdlm", "eval", "--run", folder, "--split", "val", check=False)
    assert done.returncode == 1
    assert "error[X702]" in done.stderr


@pytest.mark.slow
def test_an_option_of_a_task(tmp_path):
    """It is corrupted like any number, recorded, and known to a checkpoint."""
    folder = tmp_path / "edges"
    run("arlm", "train", *TINY, "--set", "data.format=edges", "--steps", 2, "--run", folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["data"]["format"] == "edges"
    scores = json.loads(run("arlm", "eval", "--run", folder, "--split", "val", "--json").stdout)
    assert scores["network_calls"] == 8  # the prompt, six tokens, EOS
    [line] = (folder / "predictions" / "val-0000002-0.jsonl").read_text().splitlines()[:1]
    truth = json.loads(line)["truth"].split()
    assert truth[1:-1:2] == truth[2::2]
    shown = run("arlm", "info", "--task", "star_mini", "--set", "data.format=edges").stdout
    assert "data.format                      edges" in shown
    assert "29 positions" in shown


def test_an_option_in_a_spec_belongs_to_its_task():
    spec = {"task": "star_mini", "format": "edges"}
    corrupted = resolve_config(package_of("arlm"), spec, {})
    assert corrupted.task.options.format == "edges"
    corrupted = resolve_config(package_of("arlm"), spec, {}, sets=["data.format=nodes"])
    assert corrupted.settings["data.format"] == "nodes"


@pytest.mark.parametrize(
    ("setting", "code", "message"),
    [
        ("data.format=edge", "X602", "did you mean `edges`?"),
        ("data.formt=edges", "X601", "did you mean `data.format`?"),
    ],
)
def test_a_wrong_option_gives_one_diagnostic(setting, code, message):
    done = run("arlm", "info", "--task", "star_mini", "--set", setting, check=False)
    assert done.returncode == 1
    assert f"error[{code}]" in done.stderr
    assert message in done.stderr


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("train.step", "did you mean `train.steps`?"),
        ("train.nothing", "allowed: "),
        ("backbone.layer", "did you mean `backbone.layers`?"),
        ("backbne.layers", "did you mean `backbone.layers`?"),
        ("data.workrs", "did you mean `data.workers`?"),
        ("sampler.step", "allowed: "),
        ("steps", ""),
    ],
)
def test_a_misspelt_setting_of_a_task_is_an_error(key, hint, tmp_path):
    file = written(tmp_path, REVERSE.replace('"train.steps"', f'"{key}"'))
    with pytest.raises(Failed) as failed:
        resolve_config(package_of("arlm"), {}, {}, str(file), "cpu")
    [d] = failed.value.diagnostics
    assert (d.code, d.file) == ("X505", str(file))
    assert f"`{key}` in the task's size cpu" in d.message
    assert d.span
    assert f'"{key}"' in d.source.splitlines()[d.span.line]
    assert hint in d.hint
    resolve_config(package_of("arlm"), {}, {}, str(file), "paper")  # which does not give it


@pytest.mark.parametrize("key", ["backbone.condition", "sampler.threshold", "backbone.experts"])
def test_an_unused_setting_of_a_task_is_reported(key, tmp_path, capsys):
    file = written(tmp_path, REVERSE.replace('"train.steps"', f'"{key}"'))
    resolve_config(package_of("arlm"), {}, {}, str(file), "cpu")
    assert f"not used: {key}=500 of the task's size cpu" in capsys.readouterr().err
    resolve_config(package_of("arlm"), {}, {}, "star_mini", "cpu")
    assert capsys.readouterr().err == ""


def test_the_parameters_and_axes_of_the_language():
    """Which the runtime knows without the compiler."""
    found: dict[str, set[str]] = {}
    for axis in AXES:
        for component in components_of(axis).values():
            names = {p.name for p in component.parameters}
            found.setdefault(axis.parts[0], set()).update(names)
    assert {k: {*v} for k, v in PARAMETERS.items()} == found
    assert {*AXIS_KEYS} == {axis.path for axis in AXES}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("sampler.stop", "X603"),
        ("sampler.gaps", "X603"),
        ("sampler.order", "X603"),
        ("sampler", "X603"),
        ("sampler.ancestral", "X603"),
        ("sampler.ancestral.order", "X603"),
        ("sampler.kind", "X603"),
        ("backbone", "X603"),
        ("loss", "X603"),
        ("loss.weight", "X603"),
        ("noise.schedule", "X603"),
        ("noise.process", "X603"),
        ("noise", "X601"),
        ("train", "X601"),
        ("backbone.stop", "X601"),
        ("sampler.steps", "X601"),
    ],
)
def test_an_axis_is_distinguished_from_an_unknown_setting(key, code):
    with pytest.raises(Failed) as failed:
        resolve_config(package_of("mdlm_samplers"), {}, {}, "star_mini", sets=[f"{key}=drawn"])
    assert [d.code for d in failed.value.diagnostics] == [code]


METRICS = [
    (lambda n: (torch.ones(3), torch.ones(3)), r"returns (3,), (3,) for 10 examples"),
    (lambda n: (torch.ones(()), torch.ones(())), "returns (), () for 10 examples"),
    (lambda n: (torch.ones(n, 1), torch.ones(n)), "returns (10, 1), (10,)"),
    (lambda n: torch.ones(n), "returns (10,) for 10 examples"),
    (lambda n: (0.5, torch.ones(n)), "returns float, (10,)"),
    (lambda n: (torch.full((n,), float("nan")), torch.ones(n)), "not finite"),
    (lambda n: (torch.ones(n), -torch.ones(n)), "negative weights"),
]


@pytest.mark.parametrize(("returned", "message"), METRICS, ids=[m[1] for m in METRICS])
def test_a_metric_has_a_value_and_a_weight_for_each_example(returned, message):
    with pytest.raises(Failed) as failed:
        figure("mine", returned(10), 10)
    [d] = failed.value.diagnostics
    assert d.code == "X617"
    assert message in d.message
    value, weight = figure("mine", (torch.ones(10), torch.zeros(10)), 10)
    assert value.sum() == 10
    assert weight.sum() == 0
