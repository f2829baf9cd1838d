"""Rows are encoded once, by several processes, and cached until data, options or code change."""

import importlib
import os
import shutil
import sys

import pytest
import torch
from pair_tables import SUMS, pairs, texts_of, written

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data import preprocess
from xlm_spec.runtime.data.tokenizers import CharacterTokenizer
from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.pairs import Options
from xlm_spec.runtime.tasks.text import Options as TextOptions


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    return written(tmp_path_factory.mktemp("sums") / "sums.jsonl", SUMS)


def test_rows_are_encoded_once(sums, monkeypatch, tmp_path):
    """Until the data, the tokenizer, the code or what the rows depend on changes."""
    monkeypatch.setenv("XLM_SPEC_CACHE", str(tmp_path))
    calls = []
    real = preprocess.mapped

    def counted(function, parts, *more):
        calls.append(function)
        return real(function, parts, *more)

    monkeypatch.setattr("xlm_spec.runtime.tasks.pairs.mapped", counted)

    def fresh(**options):
        calls.clear()
        texts_of(pairs(**({"file": sums} | options)), "train")
        return len(calls)

    assert fresh() == 3  # splits
    assert fresh() == 0
    assert fresh(tokens="characters") == 3
    assert fresh(prompt="a", answer="q") == 3
    assert fresh(tokens="characters", longest_prompt=5, longest_answer=2, long="drop") == 1
    assert fresh(longest_prompt=3, longest_answer=1) == 0
    other = written(tmp_path / "sums.jsonl", [*SUMS[1:], ("1 + 1", "3")])
    assert fresh(file=other) == 3
    written(other, [*SUMS[1:], ("1 + 1", "4")])  # the same size
    assert fresh(file=other) == 3
    times = other.stat()
    written(other, [*SUMS[1:], ("1 + 1", "5")])
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))  # the same time
    assert fresh(file=other) == 3
    assert fresh(file=other) == 0


OWN = """
from xlm_spec.runtime.tasks.pairs import Columns
from helper import end


class Mine(Columns):
    def pairs(self, batch, split, first):
        return [(p, end(a) + " one") for p, a in super().pairs(batch, split, first)]


TASK = Mine()
"""


def test_an_edited_task_file_encodes_anew(sums, monkeypatch, tmp_path):
    """Also if another file is edited that it imports, in the same second."""
    monkeypatch.setenv("XLM_SPEC_CACHE", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    task, helper = tmp_path / "own.py", tmp_path / "helper.py"
    task.write_text(OWN)
    helper.write_text("def end(a):\n    return a + ' a'\n")

    def last():
        sys.modules.pop("helper", None)
        importlib.invalidate_caches()
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        options = Options(file=str(sums), prompt="q", answer="a")
        found = find(str(task)).with_options(options)
        rows = found.rows("train")
        return found.tokenizer.decode(rows.answer[0].tolist()).split()[1:]

    assert last() == ["a", "one"]
    task.write_text(OWN.replace("one", "two"))
    assert last() == ["a", "two"]
    helper.write_text("def end(a):\n    return a + ' b'\n")
    assert last() == ["b", "two"]


def test_an_edited_class_without_a_file_encodes_anew(sums, monkeypatch, tmp_path):
    """As in a cell of a notebook."""
    monkeypatch.setenv("XLM_SPEC_CACHE", str(tmp_path))

    def last(end):
        names = {}
        exec(OWN.replace("from helper import end\n", "").replace("end(a)", f"a + ' {end}'"), names)
        options = Options(file=str(sums), prompt="q", answer="a")
        found = names["TASK"].with_options(options)
        return found.tokenizer.decode(found.rows("train").answer[0].tolist()).split()[1:]

    assert last("a") == ["a", "one"]
    assert last("b") == ["b", "one"]


def test_a_folder_is_read_again_when_its_content_changes(monkeypatch, tmp_path):
    """Also if sizes and times are the same."""
    import datasets

    monkeypatch.setenv("XLM_SPEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    (tmp_path / "set").mkdir()
    for suffix in ("jsonl", "parquet"):
        for answer in ("x", "y"):
            file = tmp_path / "set" / f"train.{suffix}"
            written(file, [(q, answer) for q, _ in SUMS])
            os.utime(file, (1e9, 1e9))
            assert {a for _, a in texts_of(pairs("", hub=str(file.parent)), "train")} == {answer}
            assert {a for _, a in texts_of(pairs(file), "train")} == {answer}
        file.unlink()


def test_a_cache_that_cannot_be_used_is_one_diagnostic(sums, monkeypatch, tmp_path):
    monkeypatch.setenv("XLM_SPEC_CACHE", str(tmp_path))
    pairs(sums)
    for file in (tmp_path / "xlm-spec").iterdir():
        file.write_bytes(b"torn")
    with pytest.raises(Failed, match="cannot use the data cache"):
        pairs(sums)


def test_rows_of_a_file_are_mapped_into_memory_and_read_as_needed(sums, monkeypatch):
    """Laid out once, or when they are read: the same examples."""
    from components.types import Examples, Vocab
    from xlm_spec.runtime.loading.data_module import InMemory, OnDemand
    from xlm_spec.runtime.loading.layout import Layout

    rows = pairs(sums).rows("train")
    assert rows.prompt.dtype == torch.int32
    assert rows.take(slice(0, 2)).prompt.dtype == torch.long
    assert rows.digest == rows.take(slice(None)).digest
    layout = Layout(Examples, Vocab(size=40, pad=34, bos=35, eos=36, mask=37), "eos", 3, 1)
    later = OnDemand(rows, layout)
    at_once = InMemory(layout.examples(rows.take(slice(None))))
    some = torch.tensor([5, 3, 200])
    for a, b in zip(later[some], at_once[some], strict=True):
        assert (a is None and b is None) or torch.equal(a, b)
    assert len(later) == len(at_once)


def square(x):
    return x * x


def late_failure(x):
    if x < 9:
        return x
    raise Failed(Diagnostic("X502", f"{x} is not in the vocabulary", "hint"))


def test_work_is_shared_by_processes_in_order(monkeypatch, capsys):
    """A diagnostic of a process arrives whole."""
    monkeypatch.setattr(preprocess, "PATIENCE", 0.0)
    monkeypatch.setattr(preprocess, "PAUSE", 0.0)
    found = list(preprocess.mapped(square, range(40), "squaring", 40, processes=2))
    assert found == [i * i for i in range(40)]
    assert "squaring 100%" in capsys.readouterr().err
    with pytest.raises(Failed) as failed:
        list(preprocess.mapped(late_failure, range(40), "failing", 40, processes=2))
    [d] = failed.value.diagnostics
    assert (d.code, d.message, d.hint) == ("X502", "9 is not in the vocabulary", "hint")


def test_the_tokens_of_a_long_text_are_cached(tmp_path, monkeypatch):
    monkeypatch.setenv("XLM_SPEC_CACHE", str(tmp_path))
    file = tmp_path / "a.txt"
    file.write_text("the cat sat on the mat\n" * 50)

    def rows():
        return find("text").with_options(TextOptions(file=str(file), block=8)).rows("train")

    plain = rows()
    monkeypatch.setattr("xlm_spec.runtime.tasks.text.LONG", 100)
    assert rows().digest == plain.digest
    monkeypatch.setattr(CharacterTokenizer, "encode", lambda self, text: [0])
    assert rows().digest == plain.digest
    assert rows().take(slice(0, 3)).answer.dtype == torch.long
    file.write_text("the cat sat on the hat\n" * 50)
    with pytest.raises(Failed, match="has 1 tokens"):
        rows()
