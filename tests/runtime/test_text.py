"""Running text: cut into blocks, trained on, scored in nats per token, sampled from."""

import json
import math
import random

import datasets
import pytest
import torch
import torch.nn.functional as F
from package_runs import package_of, run

from components.types import Examples, Vocab
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.overrides import flat, overridden
from xlm_spec.runtime.data.metrics import entropy
from xlm_spec.runtime.data.tokenizers import CharacterTokenizer, SubwordTokenizer, WordTokenizer
from xlm_spec.runtime.evaluation.evaluate import known_terms
from xlm_spec.runtime.evaluation.protocol import likelihood
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.text import Options, complete

pytestmark = pytest.mark.slow
SMALL = [
    *("--task", "text", "--size", "cpu", "--set", "data.block=16", "--set", "backbone.width=32"),
    *("--set", "backbone.layers=1", "--set", "train.sample_examples=2"),
]


def words(n, seed=0):
    rng = random.Random(seed)
    return " ".join(rng.choice(["the", "cat", "sat", "on", "a", "mat\n"]) for _ in range(n))


def objective(model, x, config, rng):
    """A stand-in for that of a package: each call is counted in `model`."""
    model.append(x)
    return {"a": torch.rand(3, generator=rng), "b": torch.rand(3, generator=rng)}


def minus_the_objective(model, x, config, rng):
    return -sum(objective(model, x, config, rng).values())


def mean_of_two(model, x, config, rng):
    draws = [sum(objective(model, x, config, rng).values()) for _ in range(2)]
    return -(draws[0] + draws[1]) / 2


def of_other_examples(model, x, config, rng):
    return -sum(objective(model, "other", config, rng).values())


@pytest.mark.parametrize(
    ("bound", "more"), [(minus_the_objective, 0), (mean_of_two, 1), (of_other_examples, 1)]
)
def test_a_bound_does_not_compute_the_objective_again(bound, more):
    """Its value is that of the plain call, also where a person has edited it."""
    plain = bound([], "x", None, torch.Generator().manual_seed(0))
    calls, rng = [], torch.Generator().manual_seed(0)
    terms = objective(calls, "x", None, rng)
    with known_terms(bound, (calls, "x", None), terms, rng.get_state()):
        found = bound(calls, "x", None, torch.Generator().manual_seed(0))
    assert torch.equal(found, plain)
    assert len(calls) == 1 + more
    assert bound([], "x", None, torch.Generator().manual_seed(0)).equal(plain)  # as before


@pytest.fixture(scope="module")
def file(place):
    found = place / "text.txt"
    found.write_text(words(2000))
    return found


@pytest.fixture(scope="module")
def runs(place, file):
    """Runs of 20 steps, by package; the text is gone afterwards from where it was."""
    copy = place / "gone.txt"
    copy.write_text(file.read_text())
    for name in ("arlm", "mdlm"):
        sets = ["--set", f"data.file={copy}", "--steps", 20]
        run(name, "train", *SMALL, *sets, "--run", place / f"text-{name}")
    copy.unlink()
    return {name: place / f"text-{name}" for name in ("arlm", "mdlm")}


def text(**options):
    return find("text").with_options(Options(**options))


def test_blocks_cover_the_text(file):
    """In order; training drops what is left, validation and test score it in a shorter block."""
    task, whole = text(file=str(file), block=16), file.read_text()
    parts = {}
    for split in ("train", "val", "test"):
        rows = task.rows(split)
        pairs = zip(rows.answer.tolist(), rows.answer_length.tolist(), strict=True)
        parts[split] = "".join(task.tokenizer.decode(a[:n]) for a, n in pairs)
        assert rows.answer.shape[1] == 16
        assert rows.answer_length[:-1].eq(16).all()
        assert not rows.prompt_length.any()
    size = len(whole) // 20
    assert parts["test"] == whole[-size:]
    assert parts["val"] == whole[-2 * size : -size]
    train = whole[: -2 * size]
    assert parts["train"] == train[: len(train) // 16 * 16]
    assert int(task.rows("test").answer_length[-1]) == size % 16
    assert task.characters("test") == size


def test_splits_from_separate_files(tmp_path, file):
    (tmp_path / "val.txt").write_text("the cat é")
    task = text(file=str(file), val_file=str(tmp_path / "val.txt"), block=4)
    assert task.texts["val"] == "the cat é"
    assert task.texts["train"] + task.texts["test"] == file.read_text()
    assert "é" in task.tokenizer.alphabet  # so that it can be scored
    assert task.rows("val").answer_length.tolist() == [4, 4, 1]
    assert complete({"train": "a", "val": "b", "test": "c"})["train"] == "a"


def test_a_block_has_no_eos_and_contains_the_prompt():
    vocab = Vocab(size=14, pad=10, bos=11, eos=12, mask=13)
    for fill in ("eos", "none"):
        layout = Layout(Examples, vocab, fill, longest_prompt=3, longest_answer=4, ends=False)
        assert layout.max_length == 5
        start = layout.start(torch.tensor([[1, 2, 0], [0, 0, 0]]), torch.tensor([2, 0]))
        assert start.valid.all()
        assert start.fixed.tolist() == [[True] * 3 + [False] * 2, [True] + [False] * 4]
        assert 12 not in start.tokens


@pytest.mark.parametrize(("name", "sampler"), [("mdlm", "ancestral"), ("arlm", "autoregressive")])
def test_eval(name, sampler, runs, file):
    """The data has moved; the alphabet is the checkpoint's. A package says whether it is exact."""
    words = ["eval", "--run", runs[name], "--set", f"data.file={file}", "--json"]
    found = json.loads(run(name, *words).stdout)
    key = "nll" if name == "arlm" else "nelbo"
    assert found["bound"] == (name == "mdlm")
    assert {"package", "task", "size", "sampler", "split", "examples", "loss"} <= set(found)
    assert found["sampler"] == sampler
    assert found["samples"] == 64
    assert 0 <= found["entropy"] <= math.log(16)
    assert found[key] == pytest.approx(found["loss"], rel=1e-5)  # the objective is the bound
    assert 0 < found[f"{key}_error"] < 0.3 * found[key]
    assert found["bits_per_character"] == pytest.approx(found[key] / math.log(2), rel=1e-6)


def test_the_likelihood_of_arlm_is_exact(runs, file):
    """Against a chain of conditionals, one row and one token at a time."""
    arlm = package_of("arlm")
    words = ["eval", "--run", runs["arlm"], "--set", f"data.file={file}", "--json"]
    found = json.loads(run("arlm", *words).stdout)
    kept = torch.load(runs["arlm"] / "checkpoints" / "best.ckpt", weights_only=True)
    stored = kept["xlm_spec"]
    vocab = arlm.Vocab(**stored["vocab"])
    config = overridden(arlm.Config(vocab=vocab), flat(stored))
    model = arlm.Model(config).eval()
    model.load_state_dict({k[6:]: v for k, v in kept["state_dict"].items() if k[:6] == "model."})
    alphabet = CharacterTokenizer(kept["words"]["alphabet"])
    task = find("text").with_options(Options(file=str(file), block=16), alphabet)
    ids = task.tokenizer.encode(task.texts["test"])
    nats = 0.0
    with torch.no_grad():
        for first in range(0, len(ids), 16):
            row = torch.tensor([[vocab.bos, *ids[first : first + 16]]])
            logits = model.token_logits(model(row, row >= 0)[0, :-1])
            nats += float(F.cross_entropy(logits, row[0, 1:], reduction="sum"))
    assert found["nll"] == pytest.approx(nats / len(ids), rel=1e-5)
    assert found["examples"] == -(-len(ids) // 16)


def test_likelihood_of_rows_of_two_lengths(monkeypatch):
    """Per token over all tokens; the error as in its docstring; no bound, no figure."""
    run = type("Run", (), {"package": object(), "name": "none"})
    nats = torch.tensor([[4.0], [1.0]])
    found = likelihood(run, nats, torch.tensor([2.0, 1.0]).double(), characters=6)
    assert found["nelbo"] == pytest.approx(5 / 3)
    off = ((4 - 10 / 3) ** 2 + (1 - 5 / 3) ** 2) * 2
    assert found["nelbo_error"] == pytest.approx(off**0.5 / 3)
    assert found["bits_per_character"] == pytest.approx(5 / math.log(2) / 6)


def test_a_package_without_a_bound_has_no_likelihood(runs, file, monkeypatch):
    monkeypatch.delattr(package_of("mdlm"), "log_likelihood_bound")
    words = ["eval", "--run", runs["mdlm"], "--set", f"data.file={file}", "--json"]
    done = run("mdlm", *words)
    assert "no likelihood bound" in done.stderr
    assert not {"nll", "nelbo", "bound"} & set(json.loads(done.stdout))


def test_settings_that_invalidate_the_bound_remove_its_figure(runs, file):
    """With eps > 0 the noise does not end in all masks: what is estimated bounds nothing."""
    words = ["eval", "--run", runs["mdlm"], "--set", f"data.file={file}", "--json"]
    done = run("mdlm", *words, "--set", "noise.schedule.eps=0.9")
    assert "no likelihood bound with these settings" in done.stderr
    assert not {"nelbo", "bound"} & set(json.loads(done.stdout))


def test_running_text_has_no_eos(runs):
    kept = torch.load(runs["mdlm"] / "checkpoints" / "best.ckpt", weights_only=True)
    assert kept["xlm_spec"]["vocab"]["eos"] == -1


def test_a_checkpoint_needs_no_data(runs):
    words = ["generate", "--run", runs["mdlm"], "--json"]
    found = [json.loads(x) for x in run("mdlm", *words, "-n", 2).stdout.splitlines()]
    assert [f["prompt"] for f in found] == ["", ""]
    assert all(1 <= len(f["text"]) <= 16 for f in found)
    [own] = run("mdlm", *words, "--prompt", "the cat ").stdout.splitlines()
    assert len(json.loads(own)["text"]) <= 8
    assert "error[X503]" in run("mdlm", *words, "--prompt", "a" * 16, check=False).stderr
    done = run("mdlm", "eval", "--run", runs["mdlm"], check=False)
    assert "error[X506]" in done.stderr
    assert "No such file" in done.stderr


def test_a_run_keeps_its_samples_without_truths(runs):
    [last] = (runs["mdlm"] / "predictions").glob("val-0000020-*.jsonl")
    records = [json.loads(line) for line in last.read_text().splitlines()]
    assert len(records) == 2
    assert set(records[0]) == {"prompt", "answer"}


def test_unknown_characters_give_one_diagnostic(runs, tmp_path):
    (tmp_path / "other.txt").write_text("ça n'est pas ça" * 30)
    words = ["eval", "--run", runs["mdlm"], "--set", f"data.file={tmp_path / 'other.txt'}"]
    done = run("mdlm", *words, check=False)
    assert done.stderr.count("error[") == done.stderr.count("error[X502]") == 1
    assert "and 2 more" in done.stderr


def test_a_checkpoint_of_another_vocabulary_does_not_match(runs, tmp_path):
    """As many characters, but others: no weights are taken from there."""
    (tmp_path / "other.txt").write_text(words(200).replace("m", "w"))
    best = runs["mdlm"] / "checkpoints" / "best.ckpt"
    sets = ["--set", f"data.file={tmp_path / 'other.txt'}", "--steps", 1, "--init", best]
    done = run("mdlm", "train", *SMALL, *sets, "--run", tmp_path / "run", check=False)
    assert "error[X702]" in done.stderr
    assert "tokenizer" in done.stderr


def test_a_text_that_changed_during_a_run_is_reported(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(words(200))
    run(
        "arlm", "train", *SMALL, "--set", f"data.file={file}", "--steps", 2, "--run", tmp_path / "a"
    )
    file.write_text(words(200).replace("m", "w"))
    done = run("arlm", "train", "--run", tmp_path / "a", "--resume", check=False)
    assert "error[X702]" in done.stderr


def test_a_data_set(tmp_path, monkeypatch):
    """A local folder as load_dataset reads it; its own parts, the third cut off."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "set"
    folder.mkdir()
    for split in ("train", "validation"):
        rows = [json.dumps({"body": f"{split} {i}", "id": i}) for i in range(40)]
        (folder / f"{split}.jsonl").write_text("\n".join(rows))
    found = text(hub=str(folder), column="body", block=4)
    assert found.texts["val"] == "\n".join(f"validation {i}" for i in range(40))
    assert found.texts["train"].startswith("train 0\ntrain 1\n")
    assert (found.texts["train"] + found.texts["test"]).endswith("train 39")
    with pytest.raises(Failed, match="no column `text`"):
        _ = text(hub=str(folder)).texts


def test_a_data_set_that_cannot_be_loaded(monkeypatch):
    def nowhere(*_):
        raise ConnectionError("Couldn't reach the hub\nand more")

    monkeypatch.setattr(datasets, "load_dataset_builder", nowhere)
    done = run("mdlm", "info", "--task", "text", "--set", "data.hub=no/where", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error[X506]: cannot load the data set `no/where`: Couldn't reach"
    )
    assert done.stderr.count("error[") == 1


@pytest.fixture(scope="module")
def tokenizer(place, file):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    found.train([str(file)], trainers.BpeTrainer(vocab_size=40, show_progress=False))
    found.save(str(place / "tokenizer.json"))
    return place / "tokenizer.json"


def test_subwords(tokenizer, file, place):
    sets = ["--set", f"data.file={file}", "--set", f"data.tokenizer={tokenizer}"]
    folder = place / "text-subwords"
    run("mdlm", "train", *SMALL, *sets, "--steps", 4, "--run", folder)
    found = json.loads(run("mdlm", "eval", "--run", folder, "--json").stdout)
    task = text(file=str(file), tokenizer=str(tokenizer))
    ids = task.tokenizer.encode(task.texts["test"])
    assert len(ids) < len(task.texts["test"])
    assert task.tokenizer.decode(ids) == task.texts["test"]
    bits = found["nelbo"] * len(ids) / math.log(2) / task.characters("test")
    assert found["bits_per_character"] == pytest.approx(bits, rel=1e-6)
    words = ["generate", "--run", folder, "--fill", "the _ sat", "--json"]
    filled = json.loads(run("mdlm", *words).stdout)
    assert filled["text"].startswith("the ")
    assert filled["text"].endswith(" sat")


def test_a_tokenizer_that_cannot_be_used(file, tokenizer, monkeypatch):
    sets = ["--set", f"data.file={file}", "--set", f"data.tokenizer={file}"]
    done = run("mdlm", "info", "--task", "text", *sets, check=False)
    assert "error[X507]" in done.stderr
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(Failed, match="requires the library tokenizers"):
        _ = SubwordTokenizer(tokenizer.read_text()).size


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([], "requires either a file or a data set"),
        (["data.file=nowhere.txt"], "No such file"),
        (["data.file=FILE", "data.hub=x"], "requires either a file or a data set"),
        (["data.file=FILE", "data.val_file=nowhere.txt"], "No such file"),
    ],
)
def test_a_missing_text(sets, message, file):
    words = [w for s in sets for w in ("--set", s.replace("FILE", str(file)))]
    done = run("mdlm", "info", "--task", "text", *words, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == done.stderr.count("error[X506]") == 1
    assert message in done.stderr


def test_a_text_that_is_too_short(tmp_path):
    (tmp_path / "short.txt").write_text("abc" * 20)
    words = ["--set", f"data.file={tmp_path / 'short.txt'}", "--run", tmp_path / "run"]
    done = run("mdlm", "train", "--task", "text", *words, check=False)
    assert "error[X506]" in done.stderr
    assert "54 tokens, but at least 128 are required" in done.stderr
    assert not (tmp_path / "run").exists()


def test_entropy():
    answers = torch.tensor([[1, 2, 3, 4], [5, 5, 5, -1], [1, 1, 2, 2], [-1, -1, -1, -1]])
    found, weight = entropy(answers, None)
    assert found.tolist() == pytest.approx([math.log(4), 0, math.log(2), 0])
    assert weight.tolist() == [1, 1, 1, 1]


def test_tokenizers():
    """What is encoded is decoded; blanks are free sites; pictures show a line's end."""
    known = CharacterTokenizer("\n ab")
    assert known.decode(known.encode("a b\n")) == "a b\n"
    assert known.pattern("a__b") == [2, None, None, 3]
    assert known.symbol(0) == "⏎"
    assert WordTokenizer(("a", "b")).pattern("a ___ _ b") == [0, None, None, 1]
    assert known.vocabulary(("eos", "mask")) == {"size": 8, "pad": 4, "bos": 5, "eos": 6, "mask": 7}
