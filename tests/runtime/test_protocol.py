"""The protocol `v1`: what each figure of text is, and that it is named in every record."""

import json
import math
import random

import pytest
import torch
from methods import package
from package_runs import package_of, run

from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.data.tokenizers import ByteTokenizer
from xlm_spec.runtime.evaluation import protocol

TINY = ["--size", "cpu", "--set", "data.block=12", "--set", "backbone.width=16"]
TINY += ["--set", "backbone.layers=1", "--set", "backbone.heads=1"]
TINY += ["--set", "train.sample_examples=0", "--set", "data.tokenizer=bytes"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    place = tmp_path_factory.mktemp("protocol")
    rng = random.Random(0)
    for name, n in (("own", 900), ("other", 60)):
        words = [rng.choice(["the", "cat", "sät", "mat\n"]) for _ in range(n)]
        (place / f"{name}.txt").write_text(" ".join(words))
    sentences = [f"a cat {i} sat\n" for i in range(30)]
    (place / "lm").mkdir()
    for split in ("train", "test"):
        lines = "".join(json.dumps({"text": s.strip()}) + "\n" for s in sentences)
        (place / "lm" / f"{split}.jsonl").write_text(lines)
    return place


@pytest.fixture(scope="module")
def trained(texts):
    """Runs of two steps, by package."""
    places = {}
    for name in ("arlm", "mdlm_exact", "mdlm"):
        words = ["train", "--task", "text", *TINY, "--set", f"data.file={texts / 'own.txt'}"]
        run(name, *words, "--steps", 2, "--run", texts / name)
        places[name] = texts / name
    return places


def evaluated(name, place, *words):
    return json.loads(run(name, "eval", "--run", place, *words, "--json").stdout)


def resolved(package):
    return resolve_config(package, {"task": "text", "tokenizer": "bytes"}, {}, size="cpu")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("arlm", "exact"),
        ("mdlm", "time_stratified_bound"),
        ("mdlm_exact", "count_stratified_bound"),
        ("ilm", "monte_carlo_bound"),
        ("d3pm_absorb", "monte_carlo_bound"),
    ],
)
def test_the_kind_of_a_likelihood(name, kind):
    assert protocol.kind_of_likelihood(resolved(package_of(name))) == kind


@pytest.mark.parametrize(
    ("time", "kind"),
    [
        ("iid", "monte_carlo_bound"),
        ("clipped", "time_stratified_bound"),
        ("importance", "time_stratified_bound"),
    ],
)
def test_the_kind_of_a_bound_with_other_times(time, kind, tmp_path):
    """Also if a function that draws them calls another one for the strata."""
    made = package(tmp_path, noise=f"{{process: mask, time: {time}}}")
    assert protocol.kind_of_likelihood(resolved(made)) == kind


def test_every_unit_is_of_the_same_number(trained):
    found = evaluated("arlm", trained["arlm"], "--limit", 5)
    assert "bits_per_byte" not in found  # of some rows the number of bytes is not known
    found = evaluated("arlm", trained["arlm"])
    assert found["protocol"] == "v1"
    assert found["sequences"] == "wrapped, 12 tokens"
    assert found["likelihood"] == "exact"
    assert "draws" not in found
    assert found["perplexity"] == pytest.approx(math.exp(found["nll"]))
    assert found["bits_per_token"] == pytest.approx(found["nll"] / math.log(2))
    for unit in ("character", "byte"):
        nats, bits = found[f"nats_per_{unit}"], found[f"bits_per_{unit}"]
        assert bits == pytest.approx(nats / math.log(2))
    assert found["nats_per_byte"] == pytest.approx(found["nll"])  # tokens are bytes
    assert found["nats_per_character"] > found["nats_per_byte"]
    assert {"entropy", "length", "distinct_1", "distinct_3", "repetition_4"} <= set(found)
    assert found["length"] == 12


def test_more_draws_of_a_bound(trained):
    """The mean over draws, within the errors of both; the record says how many."""
    one, many = (
        evaluated("mdlm_exact", trained["mdlm_exact"], "--draws", k, "--split", "val")
        for k in (1, 16)
    )
    assert one["draws"] == 1
    assert one["nelbo_noise_error"] is None
    assert many["draws"] == 16
    assert many["likelihood"] == "count_stratified_bound"
    assert many["nelbo_noise_error"] > 0
    spread = 4 * (one["nelbo_error"] + many["nelbo_error"])
    assert abs(one["nelbo"] - many["nelbo"]) < spread
    assert many["perplexity_bound"] == pytest.approx(math.exp(many["nelbo"]))


def test_draws_of_an_example_are_in_equal_parts_of_the_time():
    """With K draws each part of the time has one, so counts of 12 masks are 1 to 12, once each."""
    from xlm_spec.runtime.evaluation.evaluate import drawn_bounds

    package, counts = package_of("mdlm_exact"), []
    made = resolved(package_of("mdlm_exact"))
    tokens = torch.randint(0, 256, (3, 13))
    fixed = (torch.arange(13) == 0).expand(3, 13)
    x = package.Examples(tokens, tokens >= 0, fixed)

    def bound(model, x, config, rng):
        noise = config.noise
        t = package.noise.sample_time(x, rng, edge=noise.time.edge)
        counts.append(package.noise.select_tokens(x, t, noise.schedule, rng).sum(1))
        return torch.zeros(3)

    assert drawn_bounds(bound, (None, x, made.config), 12, (0, 0), "cpu").shape == (3, 12)
    assert torch.stack(counts).sort(0).values.T.tolist() == [list(range(1, 13))] * 3


def test_the_error_of_the_noise():
    """Against the spread of the estimate over repetitions."""
    rng = torch.Generator().manual_seed(0)
    truth, tokens = torch.rand(20, generator=rng) * 9, torch.full((20,), 4.0)
    draws = truth[:, None] + torch.randn(2000, 20, 8, generator=rng)
    estimates = draws.mean(2).sum(1) / tokens.sum()
    errors = [protocol.noise_error_of(d, tokens) for d in draws[:200]]
    assert sum(errors) / 200 == pytest.approx(estimates.std().item(), rel=0.1)


def test_zero_shot_over_other_corpora(trained, texts):
    """With the tokens and the block of the run; the figures are those of that text as its own."""
    other = texts / "other.txt"
    given = f"text,file={other},test_file={other}"
    lm = f"lm1b,hub={texts / 'lm'},sequences=wrapped"
    found = evaluated("arlm", trained["arlm"], "--zero-shot", given, "--zero-shot", lm)
    more = found["loaders"]
    assert set(more) == {"text", "lm1b"}
    assert more["lm1b"]["sequences"] == "wrapped, 12 tokens"
    assert "entropy" not in more["text"]  # nothing is sampled again
    words = ["--set", f"data.file={other}", "--set", f"data.test_file={other}"]
    own = evaluated("arlm", trained["arlm"], *words)
    for key in ("nll", "nll_error", "bits_per_byte", "bits_per_character", "perplexity"):
        assert more["text"][key] == pytest.approx(own[key], rel=1e-6), key
    ids = ByteTokenizer().encode(other.read_text())
    assert own["bits_per_byte"] * len(ids) == pytest.approx(
        own["bits_per_character"] * len(other.read_text())
    )


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--zero-shot", "lm1b,hub=LM"), "sequences=wrapped"),
        (("--zero-shot", "star_easy"), "has another vocabulary"),
        (("--zero-shot", "text,fil=a"), "X601"),
        (("--draws", "0"), "--draws must be above 0"),
    ],
    ids=["form", "task", "option", "draws"],
)
def test_a_wrong_flag_is_one_message(words, part, trained, texts):
    words = [w.replace("LM", str(texts / "lm")) for w in words]
    done = run("arlm", "eval", "--run", trained["arlm"], *words, check=False)
    assert done.returncode == 1
    assert part in done.stderr
    assert done.stderr.count("error[") == 1


def test_sentences_have_a_likelihood_with_their_eos(texts):
    """Per token of the sentence and its EOS; what fills the canvas is not counted."""
    words = ["--task", "lm1b", *TINY, "--set", f"data.hub={texts / 'lm'}"]
    words += ["--set", "data.streaming=false", "--set", "data.sequences=truncated"]
    run("arlm", "train", *words, "--steps", 2, "--run", texts / "lm-run")
    found = evaluated("arlm", texts / "lm-run")
    lengths = [min(12, len(f"a cat {i} sat")) for i in range(30)]
    ratio = found["nats_per_byte"] * sum(lengths) / (found["nll"] * sum(n + 1 for n in lengths))
    assert ratio == pytest.approx(1)
    assert found["sequences"] == "truncated, at most 12 tokens"
