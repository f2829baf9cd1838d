"""What does not apply to a stream is one diagnostic."""

import json

import pytest
from package_runs import package_of, run
from record_streams import pairs_of_a_stream
from tokenizers import Tokenizer, models, pre_tokenizers

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.loading.managers import Loaders


@pytest.fixture(scope="module")
def stream_sets(tmp_path_factory):
    return pairs_of_a_stream(tmp_path_factory.mktemp("pairs"))


@pytest.mark.parametrize(
    "sets", [["data.bucket=4"], ["data.loaders={kind: task, name: a, stages: train}"]]
)
def test_what_does_not_apply_to_a_stream_is_one_diagnostic(sets, stream_sets, tmp_path):
    words = [w for s in sets for w in ("--set", s)]
    done = run("arlm", "train", *stream_sets, *words, "--run", tmp_path / "run", check=False)
    assert done.stderr.count("error[") == done.stderr.count("error[X602]") == 1
    assert "does not apply to the training data of a stream" in done.stderr


EVEN = """
from xlm_spec.runtime.loading.managers import DatasetManager


class Even(DatasetManager):
    def read(self, split):
        return self.task.rows(split).take(slice(0, None, 2))


class Streaming(Even):
    @property
    def stream(self):
        return self.task.stream
"""


def loaders_of(folder, *sets):
    some = [{"prompt": str(i), "answer": str(i % 7)} for i in range(200)]
    (folder / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in some))
    known = Tokenizer(models.WordLevel({str(i): i for i in range(200)}))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(folder / "t.json"))
    (folder / "even.py").write_text(EVEN)
    given = [f"data.file={folder}/a.jsonl", f"data.tokenizer={folder}/t.json"]
    given += ["data.longest_prompt=1", "data.longest_answer=1", *sets]
    return Loaders(resolve_config(package_of("arlm"), {"task": "pairs"}, {}, sets=given))


def test_a_streaming_loader_does_not_join_the_training_data(tmp_path):
    """Its rows in memory would be a sample of its data."""
    entry = "{kind: task, name: big, stages: [STAGE], options: {streaming: true}}"
    with pytest.raises(Failed, match="loader `big` of training reads a stream") as failed:
        _ = loaders_of(tmp_path, f"data.loaders=[{entry.replace('STAGE', 'train')}]").stream
    assert failed.value.diagnostics[0].code == "X602"
    assert loaders_of(tmp_path, f"data.loaders=[{entry.replace('STAGE', 'val')}]").stream is None


def test_a_manager_of_rows_does_not_manage_a_stream(tmp_path):
    sets = [f"data.manager={tmp_path}/even.py:Even", "data.streaming=true"]
    with pytest.raises(Failed, match="a stream would not go through `read`") as failed:
        _ = loaders_of(tmp_path, *sets).stream
    assert failed.value.diagnostics[0].code == "X602"
    assert loaders_of(tmp_path, sets[0]).stream is None
    sets[0] = f"data.manager={tmp_path}/even.py:Streaming"
    assert loaders_of(tmp_path, *sets).stream is not None
    assert loaders_of(tmp_path, "data.streaming=true").stream is not None
