"""Writers of samples: files, loggers, the console, and one's own; in validation, eval, generate."""

import json
from types import SimpleNamespace

import pytest
from package_runs import TINY, package_of, run

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.choices import expanded
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.evaluation.predictions import Entry, Predictions
from xlm_spec.runtime.evaluation.samples import Place
from xlm_spec.runtime.evaluation.writers import ConsoleWriter, FileWriter, LoggerWriter, Writer

MINE = """
from lightning.pytorch.loggers.logger import DummyLogger
from xlm_spec.runtime.evaluation.writers import Writer


def width(sample):
    return len(sample.tokens)


class Count(Writer):
    def __init__(self, folder, name="count.txt"):
        self.file = folder / name

    def write(self, records, place):
        with self.file.open("a") as out:
            out.write(f"{place.stage} {place.step} {len(records)} {sorted(records[0])}\\n")


class Texts(DummyLogger):
    def __init__(self, folder):
        super().__init__()
        self.file = folder / "texts.txt"

    def log_text(self, key, columns, data, step):
        with self.file.open("a") as out:
            out.write(f"{key} {step} {columns} {len(data)}\\n")
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


def resolved(*sets):
    given = (package_of("mdlm"), {"fill": "eos"}, {}, "star_mini", "cpu", None)
    return resolve_config(*given, sets=sets)


def records(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.slow
def test_writers_of_a_run(mine, tmp_path):
    writers = (
        f"[{{kind: file, every: 5, stages: [val, test, predict], fields: [prompt, answer, truth, "
        f"tokens, trajectory, steps, network_calls, '{mine}:width']}}, "
        f"{{kind: console, limit: 2, fields: answer, stages: [val, test]}}, logger, "
        f"{{kind: '{mine}:Count', name: n.txt}}]"
    )
    folder = tmp_path / "run"
    words = [*TINY, "--steps", 6, "--set", "train.evaluate_every=2"]
    words += ["--set", f"train.predictions={writers}"]
    words += ["--set", f"train.loggers=[tensorboard, '{mine}:Texts']", "--run", folder]
    done = run("mdlm", "train", *words)
    kept = sorted(f.name for f in (folder / "predictions").iterdir())
    assert kept == ["val-0000002-0.jsonl", "val-0000006-0.jsonl"]  # the last one always
    found = records(folder / "predictions" / kept[1])
    assert len(found) == 10
    for r in found:
        assert [*r] == ["prompt", "answer", "truth", "tokens", "trajectory", "steps",
                        "network_calls", "width"]  # fmt: skip
        assert r["width"] == len(r["tokens"])
        assert len(r["trajectory"]) == r["steps"] + 1
        assert set(r["trajectory"][0].split()) == {"_"}
        assert "_" not in r["trajectory"][-1]
    assert done.stderr.count('val step 4  answer "') == 2
    assert (folder / "n.txt").read_text().splitlines() == [
        f"val {step} 10 ['answer', 'prompt', 'truth']" for step in (2, 4, 6)
    ]
    texts = "predictions/val {} ['prompt', 'answer', 'truth'] 8"
    assert (folder / "texts.txt").read_text().splitlines() == [texts.format(s) for s in (2, 4, 6)]
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    assert "predictions/val/text_summary" in events.Tags()["tensors"]
    shown = events.Tensors("predictions/val/text_summary")
    assert [e.step for e in shown] == [2, 4, 6]
    assert b"| prompt | answer | truth |" in shown[0].tensor_proto.string_val[0]

    given = ["--run", folder, "--limit", 7, "--batch", 4]
    done = run("mdlm", "eval", *given, "--sampler", "confidence")
    assert len(records(folder / "predictions" / "test-confidence-0000006-0.jsonl")) == 7
    assert done.stderr.count('test-confidence step 6  answer "') == 2
    last = folder / "checkpoints" / "last.ckpt"
    out = run("mdlm", "generate", "--run", last, "-n", 5, "--batch", 2, "--json").stdout
    written = records(folder / "predictions" / "predict-ancestral-0000006-0.jsonl")
    assert [r["tokens"] for r in written] == [json.loads(x)["tokens"] for x in out.splitlines()]
    assert all("truth" not in r for r in written)


@pytest.mark.slow
def test_samples_in_batches(trained):
    """The first batch is that of a single batch; the others have noise of their own."""
    words = ["generate", "--run", trained, "--json", "--prompt"]
    prompt = json.loads(run("mdlm", *words[:-1]).stdout)["prompt"]

    def tokens(n, *more):
        out = run("mdlm", *words, prompt, "-n", n, *more).stdout
        return [json.loads(line)["tokens"] for line in out.splitlines()]

    assert tokens(4) == tokens(12, "--batch", 4)[:4]
    three = tokens(12, "--batch", 4)
    assert len({str(three[i : i + 4]) for i in (0, 4, 8)}) == 3
    assert run("mdlm", *words, prompt, "--batch", 0, check=False).returncode == 1


@pytest.mark.slow
def test_writers_of_a_checkpoint_file_do_not_run(mine, tmp_path):
    """They may be code of a stranger. Those of a run folder, which is one's own, run."""
    stages = "stages: [val, predict]"
    words = [*TINY, "--steps", 2, "--set", "train.evaluate_every=2", "--run", tmp_path / "run"]
    words += ["--set", f"train.predictions=[{{kind: '{mine}:Count', {stages}}}]"]
    words += ["--set", f"train.loggers='{mine}:Texts'".replace("'", "")]
    run("mdlm", "train", *words)
    counted = tmp_path / "run" / "count.txt"
    assert len(counted.read_text().splitlines()) == 1
    run("mdlm", "generate", "--run", tmp_path / "run")
    assert len(counted.read_text().splitlines()) == 2
    last = (tmp_path / "run" / "checkpoints" / "last.ckpt").rename(tmp_path / "theirs.ckpt")
    mine.write_text("raise ValueError")
    run("mdlm", "generate", "--checkpoint", last)
    assert len(counted.read_text().splitlines()) == 2


@pytest.mark.slow
def test_without_a_run_folder(trained, tmp_path):
    best = trained / "checkpoints" / "best.ckpt"
    words = ["generate", "--checkpoint", best, "--set"]
    setting = "train.predictions=[{kind: file, stages: [predict]}]"
    done = run("mdlm", *words, setting, check=False)
    assert done.returncode == 1
    assert "without --run, `file` requires a folder" in done.stderr
    here = setting.replace("file,", f"file, folder: {tmp_path},")
    run("mdlm", *words, here)
    [file] = tmp_path.glob("predict-ancestral-*.jsonl")
    assert len(records(file)) == 1


def test_every_counts_from_the_last_written_validation():
    entry = Entry(Writer(), {}, every=10)
    found = [s for s in range(4, 41, 4) if entry.due(Place("val", s, final=s == 40))]
    assert found == [4, 16, 28, 40]
    assert entry.due(Place("val", 40, new=False))  # further batches of the same validation
    assert not entry.due(Place("val", 44, new=False, final=False))


WRONG = [
    ("[{kind: file, fields: [prompt, anser]}]", "X602", "did you mean `answer`?"),
    ("[{kind: file, stages: train}]", "X602", "`file` has no stage `train`"),
    ("[{kind: file, every: often}]", "X602", "`every` must be a number of steps"),
    ("[{kind: console, lines: 3}]", "X602", "`console` has no option `lines`"),
    (
        "[{kind: file, fields: [1, null, {a: 2}]}]",
        "X602",
        "`fields` must be a list of names, not `1`",
    ),
    ("[{kind: file, fields: {a: 2}}]", "X602", "`fields` must be a list of names, not `{'a': 2}`"),
    ("[{kind: file, fields: []}]", "X602", "not an empty list"),
    ("[{kind: file, stages: {val: 1}}]", "X602", "`stages` must be a list of names"),
    ("[{kind: file, stages: []}]", "X602", "not an empty list"),
    ("[{kind: file, 1: 2}]", "X602", "must have a name, not `1`"),
    ("[{kind: console, limit: many}]", "X602", "`limit` of `console` must be an integer"),
    ("[{kind: console, stages: test, fields: anser}]", "X602", "did you mean `answer`?"),
    ("[{kind: console, stages: test, lines: 3}]", "X602", "`console` has no option `lines`"),
    ("logfile", "X602", "did you mean `file`?"),
    ("[{kind: ./mine.py:width}]", "X602", "width"),
    ("[{kind: file, fields: ./mine.py:wide}]", "X617", "did you mean `width`?"),
]


@pytest.mark.parametrize(("value", "code", "message"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_writer_is_one_diagnostic(value, code, message, mine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failed) as e:
        Predictions(resolved(f"train.predictions={value}"), "val", tmp_path)
    [found] = e.value.diagnostics
    assert found.code == code
    assert message in f"{found.message} {found.hint}"


@pytest.mark.parametrize("value", ["none", "[]", "[none]", ""])
def test_a_list_of_writers_can_be_empty(value):
    found = resolved(f"train.predictions={value}")
    assert found.train.predictions == ()
    shown = expanded(found.settings)["train.predictions"]
    assert resolved(f"train.predictions={shown}").train.predictions == ()


def test_the_hint_of_a_list_has_the_empty_one():
    for setting, told in ("train.predictions", True), ("train.optimizer", False):
        with pytest.raises(Failed) as e:
            resolved(f"{setting}=nothing")
        assert ("none or [] for an empty list" in e.value.diagnostics[0].hint) == told


@pytest.mark.parametrize("kind", ["file", "console", "logger"])
def test_a_field_that_is_not_json_is_one_diagnostic_with_its_name(kind, tmp_path):
    """Nothing is written of a batch with such a value."""
    writer = {
        "file": FileWriter(tmp_path),
        "console": ConsoleWriter(),
        "logger": LoggerWriter(resolved(), tmp_path),
    }[kind]
    logged = SimpleNamespace(log_text=lambda **table: None)
    if kind == "logger":
        writer.loggers = [logged]
    place = Place("val", 1)
    writer.write([{"answer": "a", "of": {"n": [1, None, 2.5]}}], place)
    for wrong in ({1}, [{1}], b"a", {(1, 2): 3}):
        with pytest.raises(Failed) as e:
            writer.write([{"answer": "a", "words": "b"}, {"answer": "a", "words": wrong}], place)
        [found] = e.value.diagnostics
        assert found.code == "X617"
        assert "field `words` has a value that is not JSON" in found.message
    if kind == "file":
        [file] = (tmp_path / "predictions").iterdir()
        assert records(file) == [{"answer": "a", "of": {"n": [1, None, 2.5]}}]
