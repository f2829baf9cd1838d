"""The task `pairs`: two columns of any data set; and text from a column."""

import importlib
import json
import os
import shutil
import sys

import pytest
import torch
import yaml
from package_runs import run
from tokenizers import Tokenizer, models, pre_tokenizers

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime import preprocess
from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.pairs import Options
from xlm_spec.runtime.tasks.text import Options as TextOptions
from xlm_spec.runtime.words import CharacterTokenizer, WordTokenizer

SMALL = [
    *("--task", "pairs", "--size", "cpu", "--set", "backbone.width=32"),
    *("--set", "backbone.layers=1", "--set", "train.sample_examples=2"),
]
SUMS = [(f"{i % 17} + {i // 17}", str(i % 17 + i // 17)) for i in range(289)]


def records(pairs):
    return [{"q": q, "a": a, "n": i} for i, (q, a) in enumerate(pairs)]


def written(file, pairs):
    """A table in the format of its suffix."""
    import pandas

    table = pandas.DataFrame(records(pairs))
    if file.suffix in (".csv", ".tsv"):
        table.to_csv(file, index=False, sep="," if file.suffix == ".csv" else "\t")
    elif file.suffix == ".parquet":
        table.to_parquet(file)
    else:
        table.to_json(file, orient="records", lines=file.suffix == ".jsonl")
    return file


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    return written(tmp_path_factory.mktemp("sums") / "sums.jsonl", SUMS)


def pairs(file, **options):
    return find("pairs").with_options(
        Options(**({"file": str(file), "prompt": "q", "answer": "a"} | options))
    )


def texts_of(task, split):
    rows = task.rows(split)
    columns = (*rows.prompt.tolist(), *rows.answer.tolist())
    lengths = (*rows.prompt_length.tolist(), *rows.answer_length.tolist())
    found = [task.words.decode(t[:n]) for t, n in zip(columns, lengths, strict=True)]
    half = len(rows.prompt)
    return list(zip(found[:half], found[half:], strict=True))


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet"])
def test_every_row_is_in_one_split(suffix, tmp_path):
    task = pairs(written(tmp_path / f"sums{suffix}", [*SUMS, ("007 + NA", "1e3")]))
    found = [x for split in ("train", "val", "test") for x in texts_of(task, split)]
    assert sorted(found) == sorted([*SUMS, ("007 + NA", "1e3")])  # as it is written, in CSV too
    assert task.longest_prompt == 3
    assert task.longest_answer == 1


def test_rows_with_the_same_prompt_are_in_one_split(tmp_path):
    task = pairs(written(tmp_path / "twice.jsonl", SUMS * 2))
    prompts = [{p for p, _ in texts_of(task, split)} for split in ("train", "val", "test")]
    assert len(set.union(*prompts)) == sum(map(len, prompts)) == len(SUMS)
    assert len(task.rows("train").prompt) > 2 * 0.8 * len(SUMS)


def test_the_splits_of_a_data_set_are_kept(tmp_path):
    parts = {"train": SUMS[:200], "validation": SUMS[200:210], "test": SUMS[210:]}
    for split, some in parts.items():
        written(tmp_path / f"{split}.jsonl", some)
    task = pairs("", hub=str(tmp_path))
    assert texts_of(task, "train") == SUMS[:200]
    assert texts_of(task, "val") == SUMS[200:210]
    assert texts_of(task, "test") == SUMS[210:]
    files = {k: str(tmp_path / f"{f}.jsonl") for k, f in (("val_file", "test"),)}
    assert texts_of(pairs(tmp_path / "train.jsonl", **files), "val") == SUMS[210:]


def test_several_files_are_one_table(tmp_path):
    written(tmp_path / "part-0.jsonl", SUMS[:100])
    written(tmp_path / "part-1.jsonl", SUMS[100:])
    task = pairs(tmp_path / "part-*.jsonl")
    assert sum(len(task.rows(s).prompt) for s in ("train", "val", "test")) == len(SUMS)


def test_tokens_are_words_characters_or_subwords(sums, tmp_path):
    assert isinstance(pairs(sums).words, WordTokenizer)
    assert set(pairs(sums).words.words) == {w for q, a in SUMS for w in f"{q} {a}".split()}
    task = pairs(sums, tokens="characters")
    assert isinstance(task.words, CharacterTokenizer)
    assert task.words.alphabet == " +0123456789"
    assert task.longest_prompt == 7
    known = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*map(str, range(33)), "+"])}))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(tmp_path / "t.json"))
    assert pairs(sums, tokenizer=str(tmp_path / "t.json")).words.size == 34


def test_sequences_without_prompts(sums):
    task = pairs(sums, prompt="")
    assert task.longest_prompt == 0
    assert {p for p, _ in texts_of(task, "train")} == {""}


def test_long_rows_are_an_error_or_left_out(tmp_path, capsys):
    file = written(tmp_path / "long.jsonl", [*SUMS, ("1 + 2 + 3 + 4", "10")])
    limits = {"longest_prompt": 3, "longest_answer": 1}
    with pytest.raises(Failed, match=r"prompt of 7 tokens; data\.longest_prompt is 3"):
        [pairs(file, **limits).rows(s) for s in ("train", "val", "test")]
    task = pairs(file, **limits, long="drop")
    found = [x for split in ("train", "val", "test") for x in texts_of(task, split)]
    assert sorted(found) == sorted(SUMS)
    assert "1 rows of split" in capsys.readouterr().err
    assert pairs(file).longest_prompt == 7  # measured


WRONG = [
    (["data.answer=b"], "has no column `b`", "data.answer: allowed: q, a, n"),
    (["data.prompt=question"], "has no column `question`", ""),
    (["data.file=nowhere.jsonl"], "No such file", ""),
    (["data.file=table.xlsx"], "is no table", ".jsonl, .json, .csv"),
    (["data.hub=x"], "requires either a file or a data set", ""),
    (["data.answer=n"], "sums.jsonl`: column `n` is no string but `0`", "choose another column"),
    (["data.longest_answer=1", "data.tokens=characters", "data.longest_prompt=9"],
     "has an answer of 2 tokens", "data.long=drop"),
    (["data.streaming=true"], "a stream requires data.longest_prompt", ""),
    (["data.val_file=other.csv"], "different formats", ""),
]  # fmt: skip


@pytest.mark.parametrize(("sets", "message", "hint"), WRONG, ids=[w[1] for w in WRONG])
def test_a_wrong_table_gives_one_diagnostic(sets, message, hint, sums, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "other.csv", SUMS)
    given = [f"data.file={sums}", "data.prompt=q", "data.answer=a", *sets]
    words = [w for s in given for w in ("--set", s)]
    done = run("mdlm", "train", *SMALL, *words, "--run", tmp_path / "run", check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == done.stderr.count("error[X506]") == 1
    assert message in done.stderr
    assert hint in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_on_pairs(sums, tmp_path):
    """Trained, evaluated; the checkpoint needs no data to continue a prompt."""
    copy, folder = tmp_path / "copy.jsonl", tmp_path / "run"
    copy.write_text(sums.read_text())
    sets = [f"data.file={copy}", "data.prompt=q", "data.answer=a", "train.evaluate_every=4"]
    sets += ["data.tokens=characters", "data.bucket=4"]
    words = [w for s in sets for w in ("--set", s)]
    run("arlm", "train", *SMALL, *words, "--steps", 4, "--run", folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())["data"]
    assert (config["longest_prompt"], config["longest_answer"]) == (7, 2)
    found = json.loads(run("arlm", "eval", "--run", folder, "--json").stdout)
    assert found["examples"] == len(pairs(sums).rows("test").prompt)
    assert 0 <= found["sequence_accuracy"] <= 1
    copy.unlink()
    words = ["generate", "--run", folder, "--json", "--prompt"]
    assert json.loads(run("arlm", *words, "3 + 4").stdout)["prompt"] == "3 + 4"
    assert "error[X502]" in run("arlm", *words, "x", check=False).stderr


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
        return found.words.decode(rows.answer[0].tolist()).split()[1:]

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
        return found.words.decode(found.rows("train").answer[0].tolist()).split()[1:]

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
    from xlm_spec.runtime.data import InMemory, OnDemand
    from xlm_spec.runtime.layout import Layout

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


def test_text_of_a_column(tmp_path):
    lines = [f"line {i}" for i in range(60)]
    file = tmp_path / "lines.jsonl"
    file.write_text("".join(json.dumps({"body": x, "id": i}) + "\n" for i, x in enumerate(lines)))
    task = find("text").with_options(TextOptions(file=str(file), column="body", block=4))
    assert "".join(task.texts.values()) == "\n".join(lines)
    plain = tmp_path / "lines.txt"
    plain.write_text("\n".join(lines))
    same = find("text").with_options(TextOptions(file=str(plain), block=4))
    assert same.rows("train").digest == task.rows("train").digest
    with pytest.raises(Failed, match="has no column `text`"):
        _ = find("text").with_options(TextOptions(file=str(file))).texts


def all_of(task):
    return [x for split in ("train", "val", "test") for x in texts_of(task, split)]


def test_texts_are_read_as_they_are_written(tmp_path):
    """Texts like dates, numbers and missing values, in some of several files."""
    odd = ["2024-01-21", "2024-01-21 10:00:00", "1e20", "12345678.0", "NA", "null", "007", "True"]
    texts = [(f"{i}", odd[i % len(odd)]) for i in range(80)]
    written(tmp_path / "part-0.jsonl", SUMS[:100])
    lines = [json.dumps({"q": q, "a": a}) for q, a in texts]
    (tmp_path / "part-1.jsonl").write_text("\n\n".join(lines))
    given = {"tokens": "characters"}
    for data in ({"file": str(tmp_path / "part-*.jsonl")}, {"file": "", "hub": str(tmp_path)}):
        found = all_of(pairs(**data, **given))
        assert sorted(found) == sorted([*SUMS[:100], *texts])
    for suffix, mark in ((".csv", ","), (".tsv", "\t")):
        file = tmp_path / f"a{suffix}"
        file.write_text("".join(f"{q}{mark}{a}\n" for q, a in [("q", "a"), *texts, ("empty", "")]))
        assert sorted(all_of(pairs(file, **given))) == sorted([*texts, ("empty", "")])


def test_quotes_in_a_table(tmp_path):
    """In CSV they enclose a cell, in TSV they are characters like others."""
    rows = "".join(f'he said "x{i}\t"y" z\n"p{i}\tb\n' for i in range(60))
    (tmp_path / "a.tsv").write_text(f"q\ta\n{rows}")
    found = all_of(pairs(tmp_path / "a.tsv"))
    wanted = [x for i in range(60) for x in ((f'he said "x{i}', '"y" z'), (f'"p{i}', "b"))]
    assert sorted(found) == sorted(wanted)
    rows = "".join(f'"a, ""{i}""\nb",c\n' for i in range(60))
    (tmp_path / "a.csv").write_text(f"q,a\n{rows}")
    found = all_of(pairs(tmp_path / "a.csv", tokens="characters"))
    assert sorted(found) == sorted((f'a, "{i}"\nb', "c") for i in range(60))


BROKEN = [
    ("a.csv", "q,a\np,a,b\n", "line 2 of `FILE` has 3 cells, but the header has 2"),
    ("a.csv", 'q,a\n"x\ny",b\np\n', "line 4 of `FILE` has 1 cells, but the header has 2"),
    ("a.tsv", "q\ta\np\ta\tb\n", "line 2 of `FILE` has 3 cells"),
    ("a.csv", 'q,a\np,a\n"p,a\np,a\n', "line 3 of `FILE` is no row of a table"),
    ("a.csv", "q,a,a\np,a,b\n", "has two columns `a`"),
    ("a.csv", "q,a\n", "the file has no records"),
    ("a.jsonl", "", "the file has no records"),
    ("a.json", "", "the file has no records"),
    ("a.json", '[{"q": "x", "a": null}]', "row 1 of `FILE`: column `a` is empty (null)"),
    ("a.jsonl", '{"q": "x", "a": "y"}\n\n{"q": "x"}\n', "line 3 of `FILE` has no column `a`"),
    ("a.jsonl", '{"q": "x", "a": "y"}\n{"q": "x", "a"\n', "line 2 of `FILE` is not JSON"),
    ("a.jsonl", '{"q": "x", "a": "y"}\n["x"]\n', "line 2 of `FILE` is a list, no object"),
    ("a.jsonl", '\n{"q": "x", "a": 1e20}\n', "line 2 of `FILE`: column `a` is no string but"),
    ("a.jsonl", '{"q": "x", "a": "\\ud83d"}\n', "has half of a surrogate pair"),
    ("a.jsonl", b'{"q": "x", "a": "y"}\n{"q": "\xe9", "a": "y"}\n', "line 2 of `FILE` is not UTF"),
    ("a.parquet", "no parquet", "cannot read the data"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN, ids=[b[2] for b in BROKEN])
def test_a_broken_table_is_one_diagnostic_with_its_line(name, content, message, tmp_path):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Failed) as failed:
        pairs(file)
    [d] = failed.value.diagnostics
    assert d.code == "X506"
    assert message.replace("FILE", str(file)) in d.message


def test_a_stream_names_the_line_of_a_value_that_is_no_text(tmp_path):
    some = [json.dumps({"q": "1", "a": "2", "n": 3}), json.dumps({"q": "1", "a": None, "n": 3})]
    (tmp_path / "a.jsonl").write_text("\n".join(some))
    known = Tokenizer(models.WordLevel({w: int(w) for w in "0123"}))
    known.save(str(tmp_path / "t.json"))
    limits = {"streaming": True, "longest_prompt": 1, "longest_answer": 1}
    task = pairs(tmp_path / "a.jsonl", tokenizer=str(tmp_path / "t.json"), **limits)
    with pytest.raises(Failed, match=r"line 2 of `.*a\.jsonl`: column `a` is empty \(null\)"):
        task.rows("train")


def test_files_replace_splits_of_a_data_set(tmp_path):
    (tmp_path / "set").mkdir()
    for split, some in {"train": SUMS[:200], "validation": SUMS[200:210]}.items():
        written(tmp_path / "set" / f"{split}.jsonl", some)
    own = written(tmp_path / "own.jsonl", SUMS[210:230])
    known = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*map(str, range(33)), "+"])}))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(tmp_path / "t.json"))
    streamed = {"streaming": True, "longest_prompt": 3, "longest_answer": 1}
    streamed |= {"tokenizer": str(tmp_path / "t.json")}
    for more in ({}, streamed):
        task = pairs("", hub=str(tmp_path / "set"), val_file=str(own), **more)
        assert texts_of(task, "val") == SUMS[210:230]
    for more in ({}, {k: v for k, v in streamed.items() if "longest" not in k}):
        options = TextOptions(hub=str(tmp_path / "set"), column="q", val_file=str(own), **more)
        lines = find("text").with_options(options).texts["val"].splitlines()
        assert lines == [q for q, _ in SUMS[210:230]]


@pytest.mark.parametrize("kind", ["words", "subwords"])
def test_prompts_of_the_same_tokens_are_in_one_split(kind, tmp_path):
    twice = [(f"{space}{q} ", a) for q, a in SUMS for space in ("", " ")]
    options = {}
    if kind == "subwords":
        words = sorted({w for q, a in SUMS for w in f"{q} {a}".split()})
        known = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}))
        known.pre_tokenizer = pre_tokenizers.Whitespace()
        known.save(str(tmp_path / "t.json"))
        options = {"tokenizer": str(tmp_path / "t.json")}
    task = pairs(written(tmp_path / "twice.jsonl", twice), **options)
    prompts = [{p for p, _ in texts_of(task, split)} for split in ("train", "val", "test")]
    assert len(set.union(*prompts)) == sum(map(len, prompts)) == len(SUMS)
