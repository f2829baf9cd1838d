"""`data.passes`: a stream that ends says so, before a record is read again."""

import json

import pytest
import torch
from package_runs import TINY, lines, run, weights
from tokenizers import Tokenizer, models, pre_tokenizers

pytestmark = pytest.mark.slow
RECORDS, BATCH = 40, 8


@pytest.fixture
def words(tmp_path):
    records = [{"prompt": str(i % 10), "answer": str(i % 7)} for i in range(RECORDS)]
    for split in ("data", "val"):
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, records)))
    known = Tokenizer(models.WordLevel({str(i): i for i in range(10)}))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(tmp_path / "t.json"))
    files = {"file": "data", "val_file": "val", "test_file": "val"}
    sets = [f"data.{k}={tmp_path / v}.jsonl" for k, v in files.items()]
    sets += [f"data.tokenizer={tmp_path / 't.json'}", "data.streaming=true", "data.passes=2"]
    sets += ["data.longest_prompt=1", "data.longest_answer=1", f"train.batch={BATCH}"]
    sets += ["train.evaluate_every=5", "train.log_every=1"]
    return ["--task", "pairs", *TINY[2:-4], *(w for s in sets for w in ("--set", s))]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_ends_after_its_passes(words, workers, tmp_path):
    """40 records in batches of 8, twice: 10 steps."""
    folder, more = tmp_path / "run", ["--set", f"data.workers={workers}"]
    done = run("mdlm", "train", *words, *more, "--steps", 30, "--run", folder, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert "ends after 2 passes, within step 11" in done.stderr
    assert "--resume --steps 10, or repeat the data: data.passes=0" in done.stderr
    assert max(x["step"] for x in lines(folder)) == 10
    run("mdlm", "train", "--run", folder, "--resume", "--steps", 10)


def test_the_hint_ends_a_run_with_a_validation(words, tmp_path):
    """The data end at step 10, between two validations."""
    folder, other = tmp_path / "run", tmp_path / "other"
    sets = ["--set", "train.evaluate_every=6", "--set", "train.lr_schedule=constant"]
    words = [*words, *sets]
    run("mdlm", "train", *words, "--steps", 30, "--run", folder, check=False)
    run("mdlm", "train", "--run", folder, "--resume", "--steps", 10)
    assert [x["step"] for x in lines(folder) if x["split"] == "val"] == [6, 10]
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 10
    again = run("mdlm", "train", "--run", folder, "--resume", "--steps", 10)
    assert "already finished" in again.stderr
    run("mdlm", "train", *words, "--steps", 10, "--run", other)
    assert lines(folder) == lines(other)
    assert weights(folder) == weights(other)


def test_control_enough_records(words, tmp_path):
    run("mdlm", "train", *words, "--steps", 10, "--run", tmp_path / "run")
    assert max(x["step"] for x in lines(tmp_path / "run")) == 10
