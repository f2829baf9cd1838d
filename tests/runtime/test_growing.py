"""Methods that insert tokens: trained, scored, filled, watched like those of a fixed canvas."""

import itertools
import json

import pytest
import torch
from methods import INSERTED, package
from package_runs import TINY, package_of, run
from trajectory_pages import Found

from components.types import Examples, Vocab
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.tasks import find

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def grown(place):
    folder = place / "ilm-run"
    run("ilm", "train", *TINY, "--steps", 30, "--run", folder)
    return folder


def test_it_is_scored_like_any_method(grown):
    found = json.loads(run("ilm", "eval", "--run", grown, "--split", "val", "--json").stdout)
    assert found["examples"] == 1000
    assert found["sampler"] == "insertion"
    metrics = {"sequence_accuracy", "token_accuracy", "valid_path", "right_goal"}
    assert all(0 <= found[m] <= 1 for m in metrics)
    assert 1 <= found["calls_per_example"] <= found["network_calls"] <= 5


def test_the_start_does_not_depend_on_the_answer():
    """Two examples that differ in the length of their answer: one start, one first state."""
    rows = find("star_medium").rows("test")
    lengths = rows.answer_length
    short, long = int(lengths.argmin()), int(lengths.argmax())
    assert lengths[short] < lengths[long]
    other = rows._replace(prompt=rows.prompt[short].expand_as(rows.prompt))
    other = other._replace(prompt_length=rows.prompt_length[short].expand_as(lengths))
    vocab = Vocab(size=22, pad=20, bos=21)
    place = Layout(Examples, vocab, "none", 32, 6)
    both = other.take(torch.tensor([short, long]))
    x = place.examples(both)
    assert x.valid[0].sum() < x.valid[1].sum()
    start = place.start(both.prompt, both.prompt_length)
    ilm = package_of("ilm")
    config = ilm.Config(vocab=vocab, backbone=ilm.Config.small().backbone)
    first = next(iter(ilm.sample(ilm.Model(config), config, start, torch.Generator())))
    for tensor in (*start[:3], *first):
        assert torch.equal(tensor[0], tensor[1])


def test_bos_marks_the_start_of_an_answer():
    """Without a mark, and always at the same site, a text that grows would not show it."""
    rows = find("star_medium").rows("test").take(slice(0, 50))
    x = Layout(Examples, Vocab(size=22, pad=20, bos=21), "none", 32, 6).examples(rows)
    marks = (x.tokens == 21) & x.valid
    assert marks[:, 0].all()
    assert marks[:, 33].all()
    assert not marks[:, 34:].any()
    assert torch.equal((torch.arange(40) > 33) & x.valid, x.valid & ~x.fixed)


def test_blanks_take_any_number_of_tokens(grown):
    """What is given stays, in order; what stood together stays together."""
    question = find("star_mini").rows("test").prompt[0].tolist()
    text = " ".join([*map(str, question), "|", "3", "_", "5", "6"])
    done = run("ilm", "generate", "--run", grown, "--fill", text, "-n", 8, "--json")
    for line in done.stdout.splitlines():
        found = json.loads(line)["text"].split()
        assert found[:20] == [str(v) for v in question]
        answer = found[20:]
        assert answer[0] == "3"
        assert answer[-2:] == ["5", "6"], "and the text ends where it was said to end"


def test_insertions_are_shown_on_the_screen_and_on_the_page(grown, tmp_path):
    page = tmp_path / "page.html"
    words = ["generate", "--run", grown, "-n", 1, "--watch", "--html", page]
    done = run("ilm", *words, "--set", "sampler.stop.threshold=0.999")
    shown = [line.split()[1:] for line in done.stderr.splitlines() if line[:4].strip().isdigit()]
    assert [len(s) for s in shown][:5] == [0, 1, 2, 3, 4]
    for before, after in itertools.pairwise(shown):
        rest = iter(after)
        assert all(token in rest for token in before), "a token keeps its place among the others"
    frames = Found(page.read_text(encoding="utf-8")).data["samples"][0][0]
    grow = [[(gone, len(came)) for _, gone, came in splices] for _, _, splices in frames[1:5]]
    assert grow == [[(0, 1)]] * 4, "each step puts one token between others, and replaces none"


def test_a_text_of_blocks_grows_too(tmp_path):
    """Running text: its bound in nats per token, and samples from BOS alone."""
    file = tmp_path / "text.txt"
    file.write_text("the cat sat on the mat. " * 400)
    folder = tmp_path / "run"
    sets = [w for s in (f"data.file={file}", "data.block=16") for w in ("--set", s)]
    tiny = ["--set", "backbone.layers=1", "--set", "backbone.width=32", "--set", "backbone.heads=2"]
    words = ["--task", "text", "--size", "cpu", *sets, *tiny]
    run("ilm", "train", *words, "--steps", 5, "--run", folder)
    found = json.loads(run("ilm", "eval", "--run", folder, "--json").stdout)
    assert found["bound"] is True
    assert found["nelbo"] > 0
    assert found["bits_per_character"] > 0
    assert found["network_calls"] <= 17
    never_whole = [
        "--set",
        "noise.count.min_corrupted=1",
    ]  # the end of a text is not among what is summed
    other = json.loads(run("ilm", "eval", "--run", folder, *never_whole, "--json").stdout)
    assert not {"bound", "nelbo", "bits_per_character"} & set(other)


def test_a_prompt_of_any_length_in_one_batch(tmp_path):
    """Rows of different prompts stop each in its own step, and a full row is left alone."""
    method = package(tmp_path, INSERTED)
    config = method.Config.small()
    bos, pad = config.vocab.bos, config.vocab.pad
    tokens = torch.tensor([[bos, 1, 2, 3, 4, 5], [bos, 1, pad, pad, pad, pad]]).repeat(50, 1)
    fixed = torch.tensor([[True] * 6, [True] * 2 + [False] * 4]).repeat(50, 1)
    start = method.Examples(tokens, torch.ones_like(fixed), fixed)
    torch.manual_seed(0)
    model = method.Model(config).eval()
    states = list(method.sample(model, config, start, torch.Generator().manual_seed(0)))
    assert all(s.tokens[::2].eq(tokens[0]).all() for s in states)
    assert len(set(states[-1].valid[1::2].sum(1).tolist())) > 1
    for before, after in itertools.pairwise(states):
        more = after.valid.sum(1) - before.valid.sum(1)
        assert ((more == 0) | (more == 1)).all()
