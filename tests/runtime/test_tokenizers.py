"""Tokenizers by name: bytes, files, folders and ids of the hub; training of a byte-level BPE."""

import json
from types import SimpleNamespace

import huggingface_hub
import pytest
import tokenizers
from click.testing import CliRunner
from package_runs import package_of
from test_corpora import folder, story, task

from xlm_spec.cli import cli
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.data.tokenizers import ByteTokenizer, located, restored, tokenizer_of
from xlm_spec.runtime.loading.train_tokenizer import trained
from xlm_spec.runtime.publish.tokenizer_files import tokenizer_files

TEXTS = [story(i) for i in range(200)]
ANY = "naïve 試 \x00\n𝔸<|end|>"


def command(*words):
    return CliRunner().invoke(cli, ["tokenize", *map(str, words)])


def code(e):
    return e.value.diagnostics[0].code


def test_bytes_need_no_file_and_lose_nothing():
    made = tokenizer_of("bytes")
    assert made == ByteTokenizer() == restored(made.state)
    assert made.encode(ANY) == list(ANY.encode())
    assert made.decode(made.encode(ANY)) == ANY
    cut = b"\xe8\xa9".decode("utf-8", "surrogateescape")  # of a text cut inside a character
    assert made.encode(cut) == [0xE8, 0xA9]
    assert made.decode([0xE8]) == "\ufffd"
    assert made.vocabulary(("eos", "mask")) == {
        **{"size": 260, "pad": 256, "bos": 257, "eos": 258, "mask": 259},
    }


def test_bytes_are_exported_as_a_tokenizer_json():
    vocab = SimpleNamespace(pad=256, bos=257, eos=-1, mask=258)
    content = tokenizer_files(ByteTokenizer(), vocab)["tokenizer.json"]
    found = tokenizers.Tokenizer.from_str(content)
    text = ANY.replace("<|end|>", "")
    assert found.encode(text).ids == list(text.encode())
    assert found.decode(list(text.encode())) == text


def test_a_trained_tokenizer_is_accepted_and_gets_the_missing_tokens(tmp_path):
    content = trained(TEXTS, 300, ["<|end|>"])
    file = tmp_path / "tokenizer.json"
    file.write_text(content)
    made = tokenizer_of(str(file))
    assert made == tokenizer_of(str(tmp_path))  # its folder
    assert 257 < made.size <= 300
    assert len(made.encode(TEXTS[0])) < len(TEXTS[0])
    assert made.decode(made.encode(ANY)) == ANY
    assert len(made.encode("<|end|>")) == 1
    assert content == trained(TEXTS, 300, ["<|end|>"])  # the same each time
    needs = package_of("mdlm").NEEDS
    ids = made.vocabulary(needs)
    assert {ids[k] for k in ("pad", "bos", "eos", "mask")} == set(range(made.size, made.size + 4))


def test_the_command_trains_on_files_or_a_task(tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(TEXTS))
    (tmp_path / "b.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS))
    written = []
    for name in ("a.txt", "b.jsonl"):
        out = tmp_path / f"{name}.json"
        done = command(tmp_path / name, "--size", 280, "-o", out)
        assert done.exit_code == 0, done.output
        written.append(out.read_text())
    assert written[0] == written[1]
    hub = folder(tmp_path / "wt", train=TEXTS[:100], validation=TEXTS, test=TEXTS)
    out = tmp_path / "task.json"
    done = command("--task", "wikitext2", "--set", f"data.hub={hub}", "--size", 280, "-o", out)
    assert done.exit_code == 0, done.output
    made = task("wikitext2", hub=hub, tokenizer=str(out), block=8)
    assert made.tokenizer.size <= 280
    assert made.rows("test").answer.max() < made.tokenizer.size


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "either files or a task"),
        (("a", "--set", "data.block=1"), "--set sets an option of --task"),
        (("a.txt", "--size", "100"), "error[X602]: a byte-level tokenizer has at least 256"),
        (("missing.txt",), "error[X506]"),
        (("--task", "star_easy"), "error[X602]: task `star_easy` is not of running text"),
        (("--task", "wikitext2", "--set", "data.blok=1"), "error[X601]"),
    ],
    ids=["nothing", "set", "size", "file", "task", "option"],
)
def test_a_wrong_command_is_one_message(words, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    done = command(*words)
    assert done.exit_code in (1, 2)
    assert part in done.output


def test_an_unknown_tokenizer_is_one_message(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failed) as e:
        tokenizer_of("missing.json")
    assert code(e) == "X506"
    with pytest.raises(Failed) as e:
        tokenizer_of("nobody/nothing")
    assert code(e) == "X507"
    assert "`bytes`" in e.value.diagnostics[0].hint


def test_a_path_is_absolute_and_an_id_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    assert located("bytes") == "bytes"
    assert located("openai-community/gpt2") == "openai-community/gpt2"
    assert located("own") == str(tmp_path / "own")
    assert located("a.json") == str(tmp_path / "a.json")
    assert located("") == ""
