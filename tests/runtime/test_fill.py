"""Infilling: fixed tokens at any position; only the blanks are filled."""

import json

import pytest
import torch
from package_runs import TINY, package_of, run

from components.types import Examples, Vocab
from xlm_spec.runtime.generation.generate import forbid_token
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.tasks import find

pytestmark = pytest.mark.slow
VOCAB = Vocab(size=14, pad=10, bos=11, eos=12, mask=13)


@pytest.fixture(scope="module")
def graphs(trained, place):
    folder = place / "graphs-arlm"
    run("arlm", "train", *TINY, "--steps", 10, "--run", folder)
    return {"mdlm": trained, "arlm": folder}


def test_the_positions_of_blanks():
    """Behind the text EOS is given where it fills a room; elsewhere the row ends.

    The answer begins where every answer does, or earlier where it needs the room.
    """
    filled, ended = (
        Layout(Examples, VOCAB, fill, 3, 3).infilling([[1, None, 3], [None, 2, None, 4]], [1, 0])
        for fill in ("eos", "none")
    )
    assert filled.tokens.tolist() == [
        [11, 11, 11, 1, 11, 10, 3, 12, 12],
        [11, 11, 11, 11, 10, 2, 10, 4, 12],
    ]
    assert filled.valid.all()
    assert (filled.valid & ~filled.fixed).nonzero().tolist() == [[0, 5], [1, 4], [1, 6]]
    assert ended.valid.sum(1).tolist() == [7, 8]
    assert (ended.valid & ~ended.fixed).nonzero().tolist() == [[0, 5], [1, 4], [1, 6]]


def test_the_whole_text_is_decoded():
    layout = Layout(Examples, VOCAB, "eos", 3, 3)
    x = layout.infilling([[1, 2, 3], [5]], [1, 0])
    assert layout.whole(x.tokens, x.valid).tolist()[0][:4] == [1, 2, 3, -1]
    assert layout.whole(x.tokens, x.valid).tolist()[1][:2] == [5, -1]


@pytest.mark.parametrize(
    ("name", "sampler"),
    [("mdlm", "ancestral"), ("mdlm", "confidence"), ("arlm", "autoregressive")],
)
def test_fixed_tokens_do_not_change(name, sampler, graphs):
    """Blanks at the start, inside and at the end; two texts of different lengths at once."""
    rows = find("star_mini").rows("test")
    question, path = rows.prompt[0].tolist(), rows.answer[0].tolist()
    first = [*map(str, question), "|", str(path[0]), "___", "__", str(path[-1])]
    second = ["_", *map(str, question[1:]), "_"]
    words = ["generate", "--run", graphs[name], "--sampler", sampler, "--json"]
    texts = [" ".join(first), " ".join(second)]
    done = run(name, *words, "--fill", texts[0], "--fill", texts[1], "-n", 2)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [f["prompt"] for f in found] == [t for t in texts for _ in range(2)]
    for record in found:
        given, written = record["prompt"].replace("| ", "").split(), record["text"].split()
        assert len(written) == len(given) == len(record["tokens"])
        for a, b in zip(given, written, strict=True):
            assert a == b or set(a) == {"_"}
        assert set(record) == {"prompt", "text", "tokens", "steps", "network_calls", "seconds"}


def test_no_blank_is_filled_with_eos():
    """While blanks are filled, and only then, EOS has no probability."""
    mdlm = package_of("mdlm")
    model = mdlm.Model(mdlm.Config.small())
    vocab = mdlm.Config.small().vocab
    hidden = torch.randn(50, 32)
    with forbid_token(model, vocab.eos, vocab.size):
        assert model.token_logits(hidden)[:, vocab.eos].eq(-torch.inf).all()
    assert model.token_logits(hidden)[:, vocab.eos].isfinite().all()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--fill", "1 2 3"], "X509", "has no blank"),
        (["--fill", "1 ___ forty"], "X502", "`forty`"),
        (["--fill", "_ " * 25], "X503", "a text has 25 tokens"),
    ],
)
def test_a_wrong_text_gives_one_diagnostic(words, code, message, graphs):
    done = run("mdlm", "generate", "--run", graphs["mdlm"], *words, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert f"error[{code}]" in done.stderr
    assert message in done.stderr


def test_prompts_and_blanks_cannot_be_combined(graphs):
    words = ["generate", "--run", graphs["mdlm"], "--fill", "_", "--prompt", "1"]
    assert run("mdlm", *words, check=False).returncode == 2


def test_blanks_can_be_watched(graphs):
    words = ["generate", "--run", graphs["mdlm"], "--sampler", "confidence", "--watch"]
    shown = run("mdlm", *words, "--fill", "1 ___ ___ 2").stderr.splitlines()
    assert [line.count("_") for line in shown if line.strip()] == [2, 1, 0]
