"""Metrics of answers, texts, sets of texts and likelihoods, by stage and loader."""

import json
import math

import pytest
import torch
from package_runs import TINY, lines, package_of, run
from tiny_judge import tiny_judge

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.data.rows import padded_rows
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.evaluation.divergence import Mauve, area, clustered
from xlm_spec.runtime.evaluation.judge import GenerativeNll, judge_of
from xlm_spec.runtime.evaluation.metric_tracker import MetricTracker, Samples, metrics_of
from xlm_spec.runtime.evaluation.protocol import error_of
from xlm_spec.runtime.evaluation.set_metrics import Distinct, Perplexity, Repetition, SetMetric

WORDS = WordTokenizer(("a", "b", "c", "d"))


def resolved(*sets, package="mdlm"):
    given = (package_of(package), {"fill": "eos"}, {}, "star_mini", "cpu", None)
    return resolve_config(*given, sets=sets)


def padded(*rows):
    wide = max(map(len, rows))
    return torch.tensor([[*r, *[-1] * (wide - len(r))] for r in rows])


# ---- figures -------------------------------------------------------------------------------------


def test_repetition_and_distinct_ngrams():
    answers = padded([0, 1, 0, 1, 0, 1], [2, 3, 2], [1])
    repetition, distinct = Repetition(n=2), Distinct(n=2)
    for metric in (repetition, distinct):
        for row in answers:
            metric.update(row[None])
    assert float(repetition.compute()) == pytest.approx(3 / 7)  # 01 10 01 10 01: three again
    assert float(distinct.compute()) == pytest.approx(4 / 7)  # 01 10 23 32
    longer = Distinct(n=9)
    longer.update(answers)
    assert longer.compute() == 0.0


def test_samples_are_read_by_name():
    rows = padded_rows([[0], [1, 2]], [[2, 3], [3]])
    found = Samples(padded([2], [3, 3]), rows, WORDS)
    assert found.texts == found.preds == ["c", "d d"]
    assert found.references == found.target == ["c d", "d"]
    assert found.prompts == ["a", "b c"]


def test_a_set_metric_has_all_texts_of_all_batches():
    class Both(SetMetric):
        def of(self, texts, references):
            self.seen = texts, references
            return len(texts)

    metric = Both()
    metric.update(["ä b", ""], ["x", "y"])
    metric.update(["c"], ["é"])
    assert int(metric.compute()) == 3
    assert metric.seen == (["ä b", "", "c"], ["x", "y", "é"])


def test_devices_share_their_texts_and_one_may_have_none():
    """Two devices, simulated by what torchmetrics gathers."""

    class Count(SetMetric):
        def of(self, texts, references):
            return len([t for t in texts if t])

    for metric, read in ((Count(), {"texts": ["a", "b"], "references": ["c", "d"]}),
                         (Distinct(n=1), {"answers": padded([0, 1])})):  # fmt: skip
        metric.distributed_available_fn = lambda: True
        metric.dist_sync_fn = lambda x, group: [x, x[:0]]
        metric.update(**read)
        assert float(metric.compute()) == (2 if "texts" in read else 1.0)
    tracker = MetricTracker(resolved("data.metrics=[distinct, mauve, edit_distance]"))
    assert tracker.compute()["distinct"] == 0.0


def test_a_perplexity_says_its_kind():
    kinds = [Perplexity(resolved(package=name)) for name in ("arlm", "mdlm")]
    assert [k.figure_name for k in kinds] == ["perplexity", "perplexity_bound"]
    for k in kinds:
        k.update(torch.tensor([2.0, 4.0]), torch.tensor([1, 2]))
        k.update(torch.tensor([6.0]), torch.tensor([3]))
        assert float(k.compute()) == pytest.approx(math.exp(12 / 6))


def test_bleu_and_chrf_are_those_of_sacrebleu():
    sacrebleu = pytest.importorskip("sacrebleu")
    from xlm_spec.runtime.evaluation.set_metrics import Bleu, Chrf

    texts = ["the cat sat on the mat today", "a dog runs in the park"]
    truths = ["the cat sat on a mat today", "the dog runs in the park"]
    for metric, same in (
        (Bleu(), sacrebleu.corpus_bleu(texts, [truths])),
        (Chrf(), sacrebleu.corpus_chrf(texts, [truths])),
    ):
        for t, r in zip(texts, truths, strict=True):
            metric.update([t], [r])
        assert float(metric.compute()) == pytest.approx(same.score)
        assert 0 < same.score < 100


# ---- a judge -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """A random GPT-2 of 27 words."""
    pytest.importorskip("transformers")
    return tiny_judge(tmp_path_factory.mktemp("judge"))


def test_the_judge_has_the_loss_of_transformers(judge):
    texts = ["a b c d e", "z y", "q", "m n o p q r s t u v w x y z a b c d e f"]
    nats, counts = judge_of(judge).nats(texts, 3, 1024)
    assert counts.tolist() == [4, 1, 0, 15]  # 16 positions of the judge
    for text, found, n in zip(texts, nats, counts, strict=True):
        if n:
            ids = torch.tensor([judge_of(judge).tokenizer(text)["input_ids"][:16]])
            loss = judge_of(judge).model(input_ids=ids, labels=ids).loss
            assert float(found / n) == pytest.approx(float(loss), abs=1e-4)
    with torch.autocast("cpu", torch.bfloat16):  # the precision of a run is not that of the judge
        assert torch.equal(judge_of(judge).nats(texts, 3, 1024)[0], nats)
    metric = GenerativeNll(judge=judge, batch=2)
    metric.update(texts[:2])
    metric.update(texts[2:])
    assert float(metric.compute()) == pytest.approx(float(nats.sum() / 20), abs=1e-6)
    assert not [*metric.parameters()]  # a checkpoint of the run does not hold the judge


def test_control_the_judge_sees_order(judge):
    nats, _ = judge_of(judge).nats(["a b c d", "d c b a"], 8, 1024)
    assert abs(float(nats[0] - nats[1])) > 0.01


def test_a_missing_judge_is_one_diagnostic(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(Failed) as e:
        GenerativeNll(judge=str(tmp_path / "empty"))
    assert e.value.diagnostics[0].code == "X602"
    assert "cannot load the judge" in e.value.diagnostics[0].message


# ---- divergence of two sets ----------------------------------------------------------------------


def test_the_area_of_known_histograms():
    p, q = torch.tensor([0.5, 0.5, 0, 0]).double(), torch.tensor([0, 0, 0.5, 0.5]).double()
    assert area(p, p, 5.0) == pytest.approx(1.0, abs=1e-6)
    beta = math.factorial(4) * math.factorial(5) / math.factorial(10)  # B(5, 6)
    assert area(p, q, 5.0) == pytest.approx(5 * beta, rel=1e-3)
    near, far = torch.tensor([0.6, 0.4]).double(), torch.tensor([0.9, 0.1]).double()
    half = torch.tensor([0.5, 0.5]).double()
    assert area(near, half, 5.0) == pytest.approx(area(half, near, 5.0), abs=1e-9)
    assert 1 > area(near, half, 5.0) > area(far, half, 5.0) > 0


def test_clusters_are_found():
    rng = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]).double()
    true = torch.arange(300) % 3
    x = centres[true] + torch.randn(300, 2, generator=rng).double()
    own = clustered(x, 3, rng)
    assert sorted({(int(t), int(c)) for t, c in zip(true, own, strict=True)}) == sorted(
        {(k, int(own[k])) for k in range(3)}
    )
    assert len({int(c) for c in own}) == 3


@pytest.mark.parametrize("with_judge", [False, True])
def test_mauve_tells_distributions_apart(with_judge, judge):
    """Equal: above 0.8; other words: below 0.3. Seeded; the halves of 400 texts."""
    rng = torch.Generator().manual_seed(1)

    def texts(letters, n):
        picks = torch.randint(len(letters), (n, 6), generator=rng)
        return [" ".join(letters[i] for i in row) for row in picks.tolist()]

    def mauve(a, b):
        metric = Mauve(judge=judge if with_judge else "", clusters=8)
        metric.update(a, b)
        return float(metric.compute())

    some = texts("abcdef", 200), texts("abcdef", 200)
    same = mauve(*some)
    assert mauve(some[0][::-1], some[1]) == pytest.approx(same, abs=1e-12)
    other = mauve(texts("abcdef", 200), texts("uvwxyz", 200))
    assert same > 0.8
    assert other < 0.3


# ---- in a run ------------------------------------------------------------------------------------

MINE = """
import torch
from torchmetrics import MeanMetric
from xlm_spec.runtime.evaluation.set_metrics import SetMetric


def length(texts):
    values = torch.tensor([float(len(t)) for t in texts])
    return values, torch.ones_like(values)


def as_floats(answers):
    return {"value": (answers >= 0).sum(1).double()}


class Most(SetMetric):
    def of(self, texts, references):
        return {"texts": len(texts), "truths": len(set(references))}


def unknown(answers, colour):
    return answers


def fails(texts):
    return texts[10**6]
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


@pytest.mark.slow
def test_metrics_of_each_kind_in_a_run(mine, tmp_path):
    entries = [
        "edit_distance",
        "{kind: distinct, n: 1, name: distinct_1}",
        "{kind: repetition, n: 1, stages: [test]}",
        "perplexity",
        "{kind: perplexity, name: seen_bound, stages: train}",
        "{kind: distinct, n: 1, name: seen, stages: [train, predict]}",
        "{kind: edit_distance, name: apart, stages: predict}",
        f"{mine}:length",
        f"{{kind: torchmetrics.MeanMetric, name: tokens, update: '{mine}:as_floats'}}",
        f"{{kind: '{mine}:Most', loaders: [few]}}",
    ]
    loader = "data.loaders=[{kind: task, name: few, limit: 3}]"
    words = [*TINY, "--steps", 4, "--set", "train.evaluate_every=4", "--set", loader]
    words += ["--set", f"data.metrics=[{', '.join(entries)}]"]
    run("mdlm", "train", *words, "--run", tmp_path / "run")
    val, few = (x for x in lines(tmp_path / "run") if x["split"].startswith("val"))
    shared = {"edit_distance", "distinct_1", "perplexity_bound", "length", "tokens"}
    assert shared <= set(val)
    assert shared | {"Most_texts", "Most_truths"} <= set(few)
    [seen] = (x for x in lines(tmp_path / "run") if x["split"] == "train/samples")
    assert set(seen) == {"step", "split", "seen", "seen_bound"}
    assert seen["seen_bound"] > 1
    assert "Most_texts" not in val
    assert "repetition" not in val
    assert few["Most_texts"] == 3
    assert val["perplexity_bound"] > 1
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert all(k.startswith("model.") for k in last["state_dict"])
    given = ["eval", "--run", tmp_path / "run", "--limit", 7, "--json", "--batch", 4]
    found = json.loads(run("mdlm", *given).stdout)
    assert found["examples"] == 7
    assert {*shared, "repetition"} <= set(found)
    assert found["loss_kind"] == "bound"
    assert [*found][[*found].index("loss") + 1] == "loss_error"
    assert 0 < found["loss_error"] < found["loss"]
    assert not {"seen", "apart"} & {*val, *found}
    samples = ["generate", "--run", tmp_path / "run", "--json"]
    done = run("mdlm", *samples, "-n", 5, "--batch", 2)
    tokens = [json.loads(line)["tokens"] for line in done.stdout.splitlines()]
    share = len({t for row in tokens for t in row}) / sum(map(len, tokens))
    assert f"{'seen':20} {share:.4f}\n{'apart':20} " in done.stderr
    done = run("mdlm", *samples, "--prompt", "1 2 3", check=False)
    assert "error[X602]: `data.metrics`: `apart` reads true answers" in done.stderr


WRONG = [
    ("mine.py:unknown", "X617", "reads `colour`, which no metric gets"),
    ("{kind: mauve, judge: {a: [1]}}", "X602", "`judge` of `mauve` must be a string, not `{'a'"),
    ("{kind: mauve, scale: high}", "X602", "`scale` of `mauve` must be a number, not `high`"),
    ("{kind: mauve, clusters: true}", "X602", "`clusters` of `mauve` must be an integer"),
    ("{kind: distinct, n: 0}", "X602", "at least one token"),
    ("{kind: distinct, m: 3}", "X602", "`distinct` has no option `m`"),
    ("{kind: distinct, stages: [trial]}", "X602", "has no stage `trial`"),
    ("{kind: perplexity, stages: predict}", "X602", "`predict` has none"),
    ("{kind: distinct, loaders: [far]}", "X602", "has no loader `far`"),
    ("{kind: distinct, name: a b}", "X602", "cannot have the name `a b`"),
    ("[distinct, distinct]", "X602", "there is a metric `distinct` already"),
    ("torch.nn.Linear", "X602", "cannot be made"),
    ("torch.nn.Identity", "X617", "is not a metric of torchmetrics"),
    ("blue", "X602", "did you mean `bleu`"),
]


@pytest.mark.parametrize(("value", "code", "message"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_metric_is_one_diagnostic(value, code, message, mine):
    text = value.replace("mine.py", str(mine))
    text = text if text[0] == "[" or ":" not in text or text[0] == "/" else f"[{text}]"
    with pytest.raises(Failed) as e:
        metrics_of(resolved(f"data.metrics={text}"))
    [found] = e.value.diagnostics
    assert found.code == code
    assert message in f"{found.message} {found.hint}"


def test_a_perplexity_requires_a_bound(monkeypatch):
    chosen = resolved("data.metrics=perplexity")
    monkeypatch.setattr(chosen.package, "BOUND_AT", {"noise.schedule.eps": 1.0})
    with pytest.raises(Failed, match="requires a likelihood"):
        metrics_of(chosen)


def test_an_exception_of_a_metric_is_reported_at_its_line(mine):
    tracker = MetricTracker(resolved(f"data.metrics={mine}:fails"))
    rows = resolved().task.rows("val").take(slice(0, 1))
    with pytest.raises(Failed) as e:
        tracker.add_answers(rows.truths, rows)
    [found] = e.value.diagnostics
    assert "IndexError" in found.message
    assert found.span.line == MINE.splitlines().index("    return texts[10**6]")


def test_a_library_that_is_missing_is_one_diagnostic(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sacrebleu", None)
    with pytest.raises(Failed) as e:
        metrics_of(resolved("data.metrics=bleu"))
    assert e.value.diagnostics[0].code == "X508"
    assert "sacrebleu" in e.value.diagnostics[0].message


def test_the_standard_error_of_a_loss():
    """That of 2,000 drawn data sets of 50 sequences of different lengths, within a tenth.

    The deviation of the standard deviation of 2,000 values is 1.6 %: no false alarm is expected.
    """
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, 20, (2000, 50), generator=rng).double()
    nats = 2 * tokens + 3 * torch.randn(2000, 50, generator=rng).double() * tokens.sqrt()
    spread = (nats.sum(1) / tokens.sum(1)).std().item()
    errors = [error_of(n, t) for n, t in zip(nats, tokens, strict=True)]
    assert sum(errors) / 2000 == pytest.approx(spread, rel=0.1)
    assert error_of(2 * tokens[0], tokens[0]) == pytest.approx(0, abs=1e-12)
    equal = torch.full((50,), 4.0).double()
    assert error_of(nats[0], equal) == pytest.approx(nats[0].std().item() / 50**0.5 / 4)
    assert error_of(nats[0, :1], tokens[0, :1]) is None
