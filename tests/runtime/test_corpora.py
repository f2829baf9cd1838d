"""Corpora by name, on local folders of their format: splits, detokenisers, sequences, streams."""

import json
import random

import datasets
import pytest
from package_runs import run

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.overrides import overridden
from xlm_spec.runtime.data.detokenizers import DETOKENIZERS
from xlm_spec.runtime.data.streams import LogicalShard, Position
from xlm_spec.runtime.tasks import find, language, names

CORPORA = [n for n in names() if isinstance(find(n), language.Language)]


def task(name, **options):
    values = {f"data.{k}": v for k, v in options.items()}
    found = find(name)
    return found.with_options(overridden(found.options, values, "data."))


def story(i):
    rng = random.Random(i)
    return " ".join(
        rng.choice(["the", "cat", "sat", "on", "a", "mat", "and", "ran", "off"])
        for _ in range(3 + i % 9)
    )


def folder(place, form="jsonl", **splits):
    """A folder of a data set: a table per split, read by xlm-spec, or, with a card, by datasets."""
    place.mkdir()
    for split, texts in splits.items():
        rows = datasets.Dataset.from_dict({"text": texts})
        if form == "parquet":
            rows.to_parquet(place / f"{split}.parquet")
        else:
            (place / f"{split}.jsonl").write_text(
                "".join(json.dumps({"text": t}) + "\n" for t in texts)
            )
    if form == "parquet":
        (place / "README.md").write_text("# A data set\n")
    return str(place)


def text_of(task, split):
    """The text of the rows of a split."""
    rows = task.rows(split)
    pairs = zip(rows.answer.tolist(), rows.answer_length.tolist(), strict=True)
    return [task.tokenizer.decode(a[:n]) for a, n in pairs]


def test_the_names_of_the_corpora():
    listed = "enwik8 fineweb_edu lm1b openwebtext text8 tinystories wikitext103 wikitext2"
    assert listed.split() == CORPORA
    assert find("fineweb-edu") is find("fineweb_edu")
    with pytest.raises(Failed) as e:
        find("wikitxt2")
    assert e.value.diagnostics[0].code == "X501"
    assert "did you mean `wikitext2`" in e.value.diagnostics[0].hint


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_last_documents_are_held_out(form, tmp_path):
    """Of OpenWebText the last 100,000, here 20, which are validation and test."""
    texts = [story(i) for i in range(50)]
    hub = folder(tmp_path / "owt", form, train=texts)
    given = {"hub": hub, "carve": 20, "tokenizer": "bytes", "block": 32, "streaming": False}
    made = task("openwebtext", **given)
    assert find("openwebtext").options.carve == 100_000
    for split, part in (("train", texts[:30]), ("val", texts[30:]), ("test", texts[30:])):
        whole = "".join(f"{t}<|endoftext|>" for t in part)
        assert "".join(text_of(made, split)) == whole[: len(whole) // 32 * 32 or None] or (
            split != "train" and "".join(text_of(made, split)) == whole
        )
        assert made.characters(split) == made.bytes(split) == len(whole)
    assert made.sequences == "wrapped, 32 tokens"
    with pytest.raises(Failed) as e:
        task("openwebtext", **(given | {"carve": 50})).rows("train")
    assert "50 documents" in e.value.diagnostics[0].message


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_stream_reads_the_documents_before_those_held_out(form, tmp_path):
    texts = [f"{i:03}" for i in range(50)]
    hub = folder(tmp_path / "owt", form, train=texts)
    given = {"hub": hub, "carve": 20, "tokenizer": "bytes", "separator": "", "buffer": 10}
    made = task("openwebtext", **given, block=3, passes=1, shards=1)
    shard, seen = LogicalShard(made.stream, 0, 0, 5, Position()), set()
    for _ in range(6):
        seen |= {made.tokenizer.decode(r) for r in shard.take().answer.tolist()}
    assert seen == set(texts[:30])
    assert text_of(made, "val") == texts[30:]


@pytest.mark.parametrize(("name", "unit"), [("text8", str), ("enwik8", str.encode)])
def test_text8_and_enwik8_are_cut_by_position(name, unit, tmp_path):
    """Twice `carve` characters or bytes from the end: validation, then test."""
    whole = "abc défg " * 40 if name == "enwik8" else "abc defg " * 40
    (tmp_path / name).write_bytes(whole.encode())
    assert find(name).options.carve == 5_000_000
    made = task(name, file=str(tmp_path / name), carve=33, block=8)
    content = unit(whole)
    cuts = {"train": content[:-66], "val": content[-66:-33], "test": content[-33:]}
    for split, part in cuts.items():
        rows = made.rows(split)
        ids = [i for a, n in zip(rows.answer, rows.answer_length, strict=True) for i in a[:n]]
        found = bytes(map(int, ids)) if name == "enwik8" else made.tokenizer.decode(map(int, ids))
        assert found == (part[: len(part) // 8 * 8] if split == "train" else part)
        assert (made.bytes(split) if name == "enwik8" else made.characters(split)) == len(part)
    with pytest.raises(Failed):
        task(name, file=str(tmp_path / name), block=8).rows("train")  # five million are not there


def test_the_data_set_of_text8_has_the_same_parts(tmp_path):
    """On the hub it is carved already: its splits, joined, are carved again."""
    whole = "abc defg " * 40
    hub = folder(
        tmp_path / "t", train=[whole[:-66]], validation=[whole[-66:-33]], test=[whole[-33:]]
    )
    made = task("text8", hub=hub, carve=33, block=8)
    assert "".join(text_of(made, "test")) == whole[-33:]
    assert "".join(text_of(made, "val")) == whole[-66:-33]


def test_a_corpus_with_one_split_held_out_uses_it_for_both(tmp_path):
    hub = folder(tmp_path / "a", train=["a b"] * 9, validation=["c d"])
    made = task("tinystories", hub=hub, tokenizer="bytes", block=4, separator="", streaming=False)
    assert text_of(made, "val") == text_of(made, "test") == ["c d"]


def test_a_digest_chooses_the_documents_of_a_corpus_with_one_split(tmp_path):
    texts = [f"{i:04}" for i in range(400)]
    hub = folder(tmp_path / "a", train=texts)
    made = task("fineweb_edu", hub=hub, tokenizer="bytes", block=4, separator="", streaming=False)
    parts = [set(text_of(made, s)) for s in ("train", "val", "test")]
    assert set.union(*parts) == set(texts)
    assert sum(map(len, parts)) == len(texts)  # disjoint
    assert all(5 <= len(p) <= 40 for p in parts[1:])


def test_sequences_of_sentences(tmp_path, capsys):
    """Wrapped: one text in blocks. Truncated: each is cut. Padded: longer ones are left out."""
    hub = folder(tmp_path / "lm", train=["abcdef", "gh", "ijklm"] * 3, test=["abcdef", "gh", "i"])
    given = {"hub": hub, "tokenizer": "bytes", "block": 4, "streaming": False}
    wrapped = task("lm1b", **given, sequences="wrapped")
    assert text_of(wrapped, "test") == ["abcd", "ef\ng", "h\ni\n"]
    assert wrapped.characters("test") == 12
    assert not wrapped.ends
    cut = task("lm1b", **given)
    assert text_of(cut, "test") == ["abcd", "gh", "i"]
    assert cut.characters("test") == 7
    assert "2 tokens of split `test` are cut off" in capsys.readouterr().err
    padded = task("lm1b", **given, sequences="padded")
    assert text_of(padded, "test") == ["gh", "i"]
    assert padded.ends
    assert padded.sequences == "padded, at most 4 tokens"
    assert "1 of 3 documents of split `test` are longer" in capsys.readouterr().err


DETOKENIZED = [
    ("wikitext", " = Valkyria Chronicles = \n", " = Valkyria Chronicles =\n"),
    ("wikitext", " = = Plot = = \n", " == Plot ==\n"),
    (
        "wikitext",
        "a 1 @,@ 200 @-@ ton ship , in 1 @.@ 5 years .",
        "a 1,200-ton ship, in 1.5 years .",
    ),
    ("wikitext", 'the " Nameless " ( or not ) , it \'s', 'the "Nameless" (or not), it\'s'),
    ("lm1b", "They 've said : it is n't so , is it ?", "They've said: it is n't so, is it?"),
    ("lm1b", 'He paid $ 5 ( £ 3 ) for " it " . ', 'He paid $5 (£3) for "it" . '),
    ("lm1b", "See http : / / a.b , now .", "See http://a.b, now."),
    ("none", "a , b", "a , b"),
]


@pytest.mark.parametrize(("name", "before", "after"), DETOKENIZED)
def test_detokenisers(name, before, after):
    assert DETOKENIZERS[name](before) == after


def test_wikitext2_trains_and_is_scored(tmp_path):
    """From a folder, in bytes: the record says what a sequence is."""
    lines = [f" = {story(i)} = \n" for i in range(120)]
    hub = folder(tmp_path / "wt", train=lines, validation=lines[:20], test=lines[:20])
    words = ["--task", "wikitext2", "--size", "cpu", "--set", f"data.hub={hub}"]
    words += ["--set", "data.tokenizer=bytes", "--set", "data.block=16", "--steps", 2]
    words += ["--set", "backbone.width=16", "--set", "backbone.layers=1"]
    words += ["--set", "train.sample_examples=0", "--run", tmp_path / "run"]
    run("arlm", "train", *words)
    found = json.loads(run("arlm", "eval", "--run", tmp_path / "run", "--json").stdout)
    assert found["task"] == "wikitext2"
    assert found["sequences"] == "wrapped, 16 tokens"
