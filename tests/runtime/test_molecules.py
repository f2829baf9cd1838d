"""Molecules from files, and what RDKit says about samples."""

import sys
from dataclasses import replace

import pytest

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime import tasks
from xlm_spec.runtime.tasks.molecules import canonical, spaced

CHAINS = ["C" * n + end for n in range(1, 21) for end in ("O", "N", "Cl", "(=O)O", "c1ccccc1")]


def task_of(**options):
    task = tasks.find("molecules")
    return task.with_options(replace(task.options, **{k: str(v) for k, v in options.items()}))


def written(folder, name="data.smi", lines=CHAINS):
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def strings(task, split):
    rows = task.rows(split)
    pairs = zip(rows.answer.tolist(), rows.answer_length.tolist(), strict=True)
    return [task.tokenizer.decode(ids[:n]).replace(" ", "") for ids, n in pairs]


def test_a_file_of_molecules_is_read_whole(tmp_path):
    """A header, names behind molecules and empty lines are none; Cl and Br are one token."""
    lines = ["SMILES name", *(f"{m}\tname {i}" for i, m in enumerate(CHAINS)), ""]
    task = task_of(file=written(tmp_path, lines=lines))
    splits = {split: strings(task, split) for split in ("train", "val", "test")}
    assert sorted(m for found in splits.values() for m in found) == sorted(CHAINS)
    assert not {*splits["test"]} & {*splits["train"], *splits["val"]}
    assert task.options.longest_answer == 20 + len("c1ccccc1")
    assert {*task.tokenizer.words} == {"C", "O", "N", "Cl", "(", "=", ")", "c", "1"}
    assert task.longest_prompt == 0
    table = written(tmp_path, "data.csv", ["id,mol", *(f"{i},{m}" for i, m in enumerate(CHAINS))])
    again = task_of(file=table, answer="mol")
    assert strings(again, "train") == splits["train"]


@pytest.mark.parametrize(
    ("text", "notation", "tokens"),
    [
        ("C[C@@H](N)C(=O)[O-]", "smiles", "C [C@@H] ( N ) C ( = O ) [O-]"),
        ("BrC1CC%12Cl.c%12/C=C\\F", "safe", "Br C 1 C C %12 Cl . c %12 / C = C \\ F"),
        ("[C][=C][Branch1][F]", "selfies", "[C] [=C] [Branch1] [F]"),
    ],
)
def test_molecules_are_tokens(text, notation, tokens):
    assert spaced(text, notation) == tokens


@pytest.mark.parametrize(
    ("lines", "notation"),
    [(["CC", "hello, C"], "smiles"), (["[C][C]", "CC"], "selfies"), (["CC(", "C C"], "selfies")],
)
def test_what_is_no_molecule_string_is_one_diagnostic(lines, notation, tmp_path):
    with pytest.raises(Failed) as failed:
        task_of(file=written(tmp_path, lines=lines), notation=notation)
    [d] = failed.value.diagnostics
    assert d.code == "X506"
    assert d.message.endswith(f"is not {notation.upper()}")


def quality(task, texts):
    metric = task.set_metrics["molecules"]()
    metric.eval()
    metric.update(texts)
    return metric.compute()


def test_validity_uniqueness_and_novelty(tmp_path):
    """Of six samples five are valid, of which three differ; one is in the training data."""
    pytest.importorskip("rdkit")
    file = written(tmp_path, lines=["CCO", "CCN", "CCC"])
    task = task_of(file=file, val_file=file, test_file=file)
    samples = ["C C O", "O C C", "C ( C ) O", "c 1 c c c c c 1", "C 1 = C C = C C = C 1 F", "C ( C"]
    found = quality(task, samples)
    assert found == {
        "validity": pytest.approx(5 / 6),
        "uniqueness": pytest.approx(3 / 5),
        "novelty": pytest.approx(2 / 3),
    }
    nothing = {"validity": 0, "uniqueness": 0, "novelty": 0}
    assert quality(task, ["", "C ( C", "F ( C ) ( C ) C"]) == nothing  # F has one bond
    assert quality(task, []) == nothing
    assert quality(task, strings(task, "train")) == {"validity": 1, "uniqueness": 1, "novelty": 0}


def test_every_selfies_is_a_molecule(tmp_path):
    pytest.importorskip("rdkit")
    pytest.importorskip("selfies")
    assert canonical("[C][C][O]", "selfies") == canonical("OCC", "smiles") == "CCO"
    assert canonical("[F][C][F][C]", "selfies")  # its grammar leaves out what has no bond
    assert canonical("[C][no symbol]", "selfies") == ""
    file = written(tmp_path, lines=["[C][C][O]", "[C][C][N]"])
    task = task_of(file=file, val_file=file, test_file=file, notation="selfies")
    assert quality(task, ["[O] [C] [C]", "[C] [C] [F]"])["novelty"] == 1 / 2


@pytest.mark.parametrize("missing", ["rdkit", "selfies"])
def test_a_missing_library_is_one_diagnostic(missing, tmp_path, monkeypatch):
    if missing == "selfies":
        pytest.importorskip("rdkit")
    monkeypatch.setitem(sys.modules, missing, None)
    file = written(tmp_path, lines=["[C][C][O]"])
    task = task_of(file=file, val_file=file, test_file=file, notation="selfies")
    with pytest.raises(Failed) as failed:
        task.set_metrics["molecules"]()
    [d] = failed.value.diagnostics
    assert d.code == "X508"
    assert f"requires the library {missing}" in d.message
    assert "xlm-spec[rdkit]" in d.hint
