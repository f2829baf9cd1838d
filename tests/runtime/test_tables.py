"""Files of data are read as they are written; a broken one is one diagnostic with its line."""

import json

import pytest
from pair_tables import SUMS, pairs, texts_of, written
from tokenizers import Tokenizer, models

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.text import Options as TextOptions


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
    ("a.csv", 'q,a\np,a\n"p,a\np,a\n', "line 3 of `FILE` is not a row of a table"),
    ("a.csv", "q,a,a\np,a,b\n", "has two columns `a`"),
    ("a.csv", "q,a\n", "the file has no records"),
    ("a.jsonl", "", "the file has no records"),
    ("a.json", "", "the file has no records"),
    ("a.json", '[{"q": "x", "a": null}]', "row 1 of `FILE`: column `a` is empty (null)"),
    ("a.jsonl", '{"q": "x", "a": "y"}\n\n{"q": "x"}\n', "line 3 of `FILE` has no column `a`"),
    ("a.jsonl", '{"q": "x", "a": "y"}\n{"q": "x", "a"\n', "line 2 of `FILE` is not JSON"),
    ("a.jsonl", '{"q": "x", "a": "y"}\n["x"]\n', "line 2 of `FILE` is a list, no object"),
    ("a.jsonl", '\n{"q": "x", "a": 1e20}\n', "line 2 of `FILE`: column `a` is not a string but"),
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
