"""The adapter of the lm-evaluation-harness, on a task made from a local file."""

import json
import math
from types import SimpleNamespace

import pytest
import torch
from package_runs import package_of, run

from xlm_spec.runtime.weights.load_model import load_model

pytest.importorskip("lm_eval")
pytestmark = pytest.mark.slow
SMALL = ["--task", "text", "--size", "cpu", "--set", "data.block=24", "--set", "backbone.width=32"]
SMALL += ["--set", "backbone.layers=1", "--set", "train.sample_examples=0"]
TASK = """task: sounds
dataset_path: json
dataset_kwargs: {data_files: {test: FILE}}
test_split: test
output_type: KIND
doc_to_text: "{{animal}} "
doc_to_target: TARGET
MORE
"""
CHOICE = 'doc_to_choice: ["says moo", "says woof"]\nmetric_list: [{metric: acc}]'
UNTIL = 'generation_kwargs: {until: ["."], max_gen_toks: 12}\nmetric_list: [{metric: exact_match}]'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Runs of arlm and mdlm on sentences of two animals, and a file of questions."""
    place = tmp_path_factory.mktemp("harness")
    (place / "a.txt").write_text("cow says moo. dog says woof. " * 400)
    rows = [{"animal": "cow", "label": 0}, {"animal": "dog", "label": 1}] * 3
    (place / "q.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    for name, steps in (("arlm", 150), ("mdlm", 2)):
        data = ["--set", f"data.file={place / 'a.txt'}", "--steps", steps]
        data += ["--set", "train.warmup=5", "--set", "train.ema=0.9", "--set", "train.lr=1e-2"]
        run(name, "train", *SMALL, *data, "--run", place / name)
    return place


def model(name, place, **options):
    from xlm_spec.runtime.evaluation.lm_eval_model import harness_model

    package = package_of(name)
    args = SimpleNamespace(run=place / name, checkpoint=None, task=None, sets=[])
    return harness_model(load_model(package, {}, {}, args), **options)


def asked(*args):
    return SimpleNamespace(args=args)


def task(place, kind, target, more):
    folder = place / kind
    folder.mkdir(exist_ok=True)
    text = TASK.replace("FILE", str(place / "q.jsonl")).replace("KIND", kind)
    (folder / "sounds.yaml").write_text(text.replace("TARGET", target).replace("MORE", more))
    return folder


def test_log_likelihoods_are_those_of_the_chain_rule(place):
    """Exact of arlm: log p(b | a) = log p(ab) - log p(a); the sum over all next tokens is 1."""
    made = model("arlm", place)
    assert made.kind == "exact"
    joint, first = made.loglikelihood([asked("", "cow says"), asked("", "cow")])
    given = made.loglikelihood([asked("cow", " says")])[0]
    assert given[0] == pytest.approx(joint[0] - first[0], abs=1e-4)
    letters = made.trained.run.task.tokenizer.alphabet
    each = made.loglikelihood([asked("cow s", c) for c in letters])
    assert sum(math.exp(p) for p, _ in each) == pytest.approx(1, abs=0.01)  # the rest is special
    assert sum(greedy for _, greedy in each) <= 1
    assert max(each)[1]  # the most probable one is greedy
    text = "cow says moo. dog says woof. cow"
    whole = made.loglikelihood_rolling([asked(text)])[0]
    parts = made.loglikelihood([asked("", text[:24]), asked("", text[24:])])
    assert whole == pytest.approx(sum(p for p, _ in parts), abs=1e-4)


def test_a_long_context_is_cut_on_the_left(place):
    made = model("arlm", place)
    long = "cow says moo. dog says woof. cow says"
    cut, same = made.loglikelihood([asked(long, " moo"), asked(long[-20:], " moo")])
    assert cut[0] == pytest.approx(same[0], abs=1e-5)


def test_a_bound_says_so(place):
    made = model("mdlm", place, draws=4)
    assert made.kind == "time_stratified_bound"
    found = made.loglikelihood([asked("cow says", " moo"), asked("", "cow")])
    assert all(p < 0 and not greedy for p, greedy in found)


def test_a_generation_ends_at_a_text_of_the_task(place):
    for name in ("arlm", "mdlm"):
        made = model(name, place)
        options = {"until": ["."], "max_gen_toks": 6}
        texts = made.generate_until([asked("cow says", options), asked("dog", options)])
        assert all(len(t) <= 6 and "." not in t for t in texts)


@pytest.mark.parametrize("kind", ["multiple_choice", "generate_until"])
def test_a_task_from_a_local_file(kind, place):
    """arlm has learnt what each animal says; the control with the labels exchanged has not."""
    right = kind == "multiple_choice"
    target = "label" if right else "\"says {{['moo', 'woof'][label]}}\""
    include = task(place, kind, target, CHOICE if right else UNTIL)
    words = ["lm-eval", "--run", place / "arlm", "--tasks", "sounds", "--include", include]
    found = json.loads(run("arlm", *words).stdout)
    assert found["likelihood"] == "exact"
    assert found["protocol"] == "v1"
    key = "acc,none" if right else "exact_match,none"
    assert found["results"]["sounds"][key] == 1.0
    if right:
        include = task(place, kind, "'{{1 - label}}'", CHOICE)
        found = json.loads(run("arlm", *words).stdout)
        assert found["results"]["sounds"][key] == 0.0


def test_an_unknown_task_is_one_message(place):
    task(place, "multiple_choice", "label", CHOICE)
    words = ["lm-eval", "--run", place / "arlm", "--tasks", "sound"]
    done = run("arlm", *words, "--include", place / "multiple_choice", check=False)
    assert done.returncode == 1
    assert "error[X501]: the harness has no task `sound`" in done.stderr


def test_sampling_repeats(place):
    made = model("mdlm", place)
    options = {"until": [], "max_gen_toks": 8}
    twice = [made.generate_until([asked("cow", options)]) for _ in range(2)]
    assert twice[0] == twice[1]
    assert torch.is_tensor(made.examples([([1], [2])], [1]).tokens)
