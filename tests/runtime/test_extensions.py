"""Code that a run takes by name, import path or file: optimisers, learning rates, loggers, ..."""

import ast
import csv
import importlib
import json
import sys
from hashlib import sha256
from types import SimpleNamespace

import pytest
import torch
import yaml
from code_blocks import blocks
from lightning.pytorch.loggers import Logger
from methods import ROOT
from package_runs import TINY, lines, package_of, run, weights

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.laws.package import import_package
from xlm_spec.runtime.config.extensions import built
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.config.settings import NAMES
from xlm_spec.runtime.training import lr_schedules
from xlm_spec.runtime.training.lr_schedules import Progress
from xlm_spec.runtime.training.muon import Muon, orthogonal
from xlm_spec.runtime.training.optimizer import law_of, optimizer_of

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs" / "guides" / "extend-the-runtime.md").read_text()
QUICK = [*TINY, "--set", "train.batch=16", "--set", "train.sample_examples=4"]
EXTRAS = """
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers.logger import DummyLogger


def first_token(answers, rows, *, scale=1.0):
    right = (answers[:, 0] == rows.truths[:, 0]).double()
    return scale * torch.ones_like(right), torch.ones_like(right)


def half(p, *, low=0.5):
    return low


class Count(Callback):
    def __init__(self, folder, fail_at=0):
        self.file, self.fail_at, self.seen = folder / "count.txt", fail_at, 0

    def on_train_batch_end(self, trainer, *_):
        self.seen += 1
        if self.seen == self.fail_at:
            raise ValueError("as asked")
        self.file.write_text(str(self.seen))

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


class Notes(DummyLogger):
    def __init__(self, save_dir):
        super().__init__()
        self.place = save_dir

    def log_metrics(self, metrics, step):
        with open(f"{self.place}/notes.txt", "a") as out:
            out.write(" ".join(sorted(metrics)) + "\\n")


class Plain(torch.optim.SGD):
    def __init__(self, params, lr, push=0.0):
        super().__init__(params, lr=lr, momentum=push)


class Deaf(torch.optim.SGD):
    def step(self, closure=None):
        super().step()
"""


@pytest.fixture
def extras(tmp_path):
    file = tmp_path / "extras.py"
    file.write_text(EXTRAS)
    return file


def resolved(*sets, train=None, config=None, folder=None):
    given = (package_of("mdlm"), {"fill": "eos"}, train or {}, "star_mini", "cpu", config)
    return resolve_config(*given, sets=sets, folder=folder)


@pytest.mark.parametrize("text", blocks(PAGE, "python"), ids=lambda text: text.split("\n")[0])
def test_a_file_of_the_guide_has_at_most_forty_lines_of_code(text):
    tree = ast.parse(text)
    kinds = ast.Module | ast.FunctionDef | ast.ClassDef
    owners = [n for n in ast.walk(tree) if isinstance(n, kinds) and ast.get_docstring(n)]
    inside = [range(n.body[0].lineno, n.body[0].end_lineno + 1) for n in owners]
    code = [i for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    assert len([i for i in code if not any(i in r for r in inside)]) <= 40


# ---- optimisers ----------------------------------------------------------------------------------


def test_the_default_is_adamw_with_decay_of_matrices_only():
    model = torch.nn.Linear(3, 2)
    made = optimizer_of(resolved(), model)
    assert type(made) is torch.optim.AdamW
    assert [g["weight_decay"] for g in made.param_groups] == [0.01, 0.0]
    assert [len(g["params"]) for g in made.param_groups] == [1, 1]
    assert made.defaults["betas"] == (0.9, 0.98)
    assert made.defaults["fused"] is True
    assert made.defaults["lr"] == 3e-3


@pytest.mark.parametrize("name", [*NAMES["train.optimizer"], "torch.optim.RMSprop"])
def test_an_optimiser_trains_and_resumes_exactly(name, tmp_path):
    words = [*QUICK, "--set", f"train.optimizer={name}", "--set", "train.lr=1e-3"]
    words += ["--set", "train.lr_schedule=constant", "--set", "train.evaluate_every=6"]
    run("mdlm", "train", *words, "--steps", 12, "--run", tmp_path / "whole")
    run("mdlm", "train", *words, "--steps", 6, "--run", tmp_path / "part")
    before = weights(tmp_path / "part")
    run("mdlm", "train", "--run", tmp_path / "part", "--resume", "--steps", 12)
    assert weights(tmp_path / "part") == weights(tmp_path / "whole") != before
    assert lines(tmp_path / "part") == lines(tmp_path / "whole")
    config = yaml.safe_load((tmp_path / "part" / "config.yaml").read_text())
    assert config["train"]["steps"] == 12


def test_options_of_an_optimiser():
    made = optimizer_of(
        resolved("train.optimizer=sgd", "train.optimizer.momentum=0.9"), torch.nn.Linear(3, 2)
    )
    assert made.defaults["momentum"] == 0.9
    spec = {"optimizer": {"kind": "adamw", "eps": 1e-6}}
    assert resolved(train=spec).train.optimizer == {"kind": "adamw", "eps": 1e-6}
    again = resolved("train.optimizer.amsgrad=true", train=spec)
    assert again.train.optimizer == {"kind": "adamw", "eps": 1e-6, "amsgrad": True}
    assert resolved("train.optimizer=sgd", train=spec).train.optimizer == "sgd"  # replaces all


def test_muon_orthogonalises_matrices_and_leaves_the_rest_to_adamw():
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(24, 40), 5))
    assert 0.6 < values.min() <= values.max() < 1.3
    package = package_of("mdlm")
    model, twin = (package.Model(package.Config.small()) for _ in range(2))
    twin.load_state_dict(model.state_dict())
    muon = Muon(Muon.groups(model, 0.01), lr=1e-3)
    adamw = torch.optim.AdamW(twin.parameters(), lr=1e-3, weight_decay=0.0)
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        a.grad = torch.randn_like(a)
        b.grad = a.grad.clone()
    muon.step()
    adamw.step()
    assert all(p.grad is not None for p in model.parameters())
    ours, theirs = dict(model.named_parameters()), dict(twin.named_parameters())
    same = {n for n in ours if ours[n].ndim == 1 and torch.equal(ours[n], theirs[n])}
    assert same == {n for n in ours if ours[n].ndim == 1}
    assert not torch.allclose(
        ours["backbone.blocks.0.attention.qkv.weight"],
        theirs["backbone.blocks.0.attention.qkv.weight"],
        atol=1e-5,
    )
    embedding = "backbone.embed.token.weight"
    assert torch.allclose(ours[embedding], theirs[embedding], atol=2e-5)  # it has weight decay


def test_resume_refuses_another_optimiser(tmp_path):
    words = [*QUICK, "--steps", 4, "--run", tmp_path / "run", "--set", "train.evaluate_every=4"]
    run("mdlm", "train", *words)
    file = tmp_path / "run" / "config.yaml"
    file.write_text(file.read_text().replace("optimizer: adamw", "optimizer: sgd"))
    done = run("mdlm", "train", "--run", tmp_path / "run", "--resume", "--steps", 8, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert "error[X619]: the optimiser of the checkpoint is `adamw`, not `sgd`" in done.stderr


# ---- laws of the learning rate -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "shares"),
    [  # at 0, 0.25, 0.5, 0.9 and 1 of 100 steps after 10 of warm-up; end 0.2
        ("cosine", {}, [1, 0.8828427, 0.6, 0.2195774, 0.2]),
        ("constant", {}, [1, 1, 1, 1, 1]),
        ("linear", {}, [1, 0.8, 0.6, 0.28, 0.2]),
        ("wsd", {}, [1, 1, 1, 0.6, 0.2]),
        ("wsd", {"decay": 0.5}, [1, 1, 1, 0.36, 0.2]),
        ("inverse_sqrt", {}, [1, 0.5345225, 0.4082483, 0.3162278, 0.3015113]),
        ("inverse_sqrt", {"timescale": 100}, [1, 0.8944272, 0.8164966, 0.7254763, 0.7071068]),
    ],
)
def test_the_shares_of_a_law(name, options, shares):
    law = getattr(lr_schedules, name)
    found = [
        law(Progress(10 + round(100 * d), d, 10, 0.2), **options) for d in (0, 0.25, 0.5, 0.9, 1)
    ]
    assert found == pytest.approx(shares, abs=1e-6)


def test_a_run_follows_its_law(tmp_path, extras):
    for name in ("linear", f"{extras}:half"):
        law = law_of(resolved(f"train.lr_schedule={name}", "train.lr_end=0.0"))
        assert law(Progress(50, 0.5, 0, 0.0)) == 0.5
    chosen = resolved(f"train.lr_schedule={extras}:half", "train.lr_schedule.low=0.25")
    assert law_of(chosen)(Progress(0, 0.0, 0, 0.0)) == 0.25


# ---- loggers, callbacks, metrics -----------------------------------------------------------------


def test_a_logger_a_callback_and_a_metric_of_a_file(tmp_path, extras):
    file, folder = tmp_path / "mine.yaml", tmp_path / "run"
    file.write_text(
        "train: {loggers: [csv, ./extras.py:Notes], callbacks: ./extras.py:Count, log_every: 2}\n"
        "data: {metrics: [{kind: ./extras.py:first_token, scale: 0.25}]}\n"
    )
    words = [*TINY[:-2], "--set", "train.batch=16", "--steps", 4, "--set", "train.evaluate_every=2"]
    done = run("mdlm", "train", *words, "--config", file, "--run", folder)
    assert (folder / "count.txt").read_text() == "4"
    assert "train/loss" in (folder / "notes.txt").read_text().splitlines()[0]
    rows = [*csv.DictReader((folder / "csv" / "metrics.csv").open())]
    assert {r["step"] for r in rows} == {"2", "4"}
    assert not (folder / "tensorboard").exists()
    assert [v["first_token"] for v in lines(folder) if v["split"] == "val"] == [0.25, 0.25]
    digest = sha256(extras.read_bytes()).hexdigest()
    config = yaml.safe_load((folder / "config.yaml").read_text())
    named = {f"{extras}:{n}" for n in ("Notes", "Count", "first_token")}
    assert config["injected"] == dict.fromkeys(named, f"sha256 {digest}")
    assert done.stderr.count(f"code: {extras}:Count (sha256 {digest})") == 1
    assert config["train"]["callbacks"] == [f"{extras}:Count"]
    found = json.loads(run("mdlm", "eval", "--run", folder, "--split", "val", "--json").stdout)
    assert found["first_token"] == 0.25
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["callbacks"]["Count"] == {"seen": 4}
    resumed = run("mdlm", "train", "--run", folder, "--resume", "--steps", 6)
    assert (folder / "count.txt").read_text() == "6"
    assert "changed since" not in resumed.stderr
    extras.write_text(EXTRAS + "# edited\n")
    resumed = run("mdlm", "train", "--run", folder, "--resume", "--steps", 8)
    assert f"changed since this run began: {extras}:Count" in resumed.stderr


def test_paths_in_a_spec_are_relative_to_the_spec(tmp_path, extras):
    spec = tmp_path / "own.yaml"
    spec.write_text(
        "xlm_spec: 1\nname: own\nnoise: {process: mask}\ntarget: masked_tokens\n"
        "loss: {cross_entropy: {weight: elbo}}\nsampler: ancestral\nbackbone: rotary\n"
        "data: {task: star_mini, metrics: ./extras.py:first_token}\n"
        "train: {optimizer: {kind: ./extras.py:Plain, push: 0.5}, loggers: [csv]}\n"
    )
    package = import_package(build(spec, tmp_path / "out").folder, "own")
    main = __import__("importlib").import_module("own.__main__")
    found = resolve_config(package, main.DATA, main.TRAIN, size="cpu")
    assert found.train.optimizer == {"kind": f"{extras}:Plain", "push": 0.5}
    assert found.data.metrics == (f"{extras}:first_token",)
    assert found.train.loggers == ("csv",)
    made = optimizer_of(found, torch.nn.Linear(2, 2))
    assert type(made).__name__ == "Plain"
    assert made.defaults["momentum"] == 0.5


def test_wandb_writes_offline(tmp_path):
    pytest.importorskip("wandb")
    logger = "train.loggers=[{kind: wandb, offline: true}]"
    words = [*QUICK, "--steps", 4, "--set", logger, "--set", "train.log_every=2"]
    run("mdlm", "train", *words, "--run", tmp_path / "run")
    [folder] = (tmp_path / "run" / "wandb").glob("offline-run-*")
    assert [*folder.glob("*.wandb")]


@pytest.mark.parametrize(
    ("library", "option"), [("wandb", "offline: true"), ("trackio", "project: samples")]
)
def test_a_logger_shows_samples(library, option, tmp_path):
    pytest.importorskip(library)
    words = [*QUICK, "--steps", 4, "--set", "train.evaluate_every=4"]
    words += ["--set", f"train.loggers=[{{kind: {library}, {option}}}]"]
    words += ["--set", "train.predictions=[logger]", "--run", tmp_path / "run"]
    assert "is not logged" not in run("mdlm", "train", *words).stderr
    if library == "wandb":
        [table] = (tmp_path / "run" / "wandb").rglob("predictions/*.table.json")
        assert json.loads(table.read_text())["columns"] == ["prompt", "answer", "truth"]
    else:
        place = importlib.import_module("trackio.utils").TRACKIO_DIR  # below HOME of the suite
        stored = b"".join(f.read_bytes() for f in place.glob("samples.db*"))
        assert b"predictions/val" in stored


def test_a_missing_library_is_one_diagnostic(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "trackio", None)
    words = [*QUICK, "--steps", 4, "--set", "train.loggers=trackio", "--run", tmp_path / "run"]
    done = run("mdlm", "train", *words, check=False)
    assert "error[X508]: this logger requires the library trackio" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("library", ["wandb", "trackio"])
def test_a_wrong_option_of_a_logger_is_one_diagnostic(library, tmp_path, monkeypatch):
    """The options of `init`, whose signature a stand-in has if the library is not installed."""
    stand_in = SimpleNamespace(init=lambda entity=None, group=None: None)
    monkeypatch.setitem(sys.modules, library, stand_in)
    with pytest.raises(Failed) as e:
        built("train.loggers", {"kind": library, "grup": "a"}, {"folder": tmp_path}, Logger)
    [diagnostic] = e.value.diagnostics
    assert diagnostic.code == "X602"
    assert "did you mean `group`?" in diagnostic.hint


WRONG = [
    ("train.optimizer=adamm", "X602", "did you mean `adam`? allowed: adamw, adam, sgd"),
    ("train.optimizer.beta=0.9", "X602", "did you mean `betas`?"),
    ("train.optimizer=torch.optim.Adan", "X617", "did you mean `Adam`?"),
    ("train.optimizer=torch.nn.Linear", "X617", "is not an optimiser of torch"),
    ("train.optimizer=no.such.Thing", "X617", "cannot import `no.such.Thing`"),
    ("train.optimizer=./extras.py", "X602", "write ./extras.py:NAME"),
    ("train.optimizer=[adam]", "X602", "must be a name or a mapping with `kind`"),
    ("train.optimizer={kind: sgd, momentum: [much]}", "X602", "`sgd` cannot be made"),
    ("train.optimizer=./extras.py:Deaf", "X617", "`step` of"),
    ("train.lr_schedule=cosin", "X602", "did you mean `cosine`?"),
    ("train.lr_schedule.decay=0.5", "X602", "`cosine` has no option `decay`"),
    ("train.loggers=tensorbord", "X602", "did you mean `tensorboard`?"),
    ("train.loggers.flush=3", "X602", "is a list"),
    ("train.loggers=./extras.py:Count", "X617", "is not a Logger of Lightning"),
    ("train.callbacks=./extras.py:Counts", "X617", "did you mean `Count`?"),
    ("train.callbacks=./nowhere.py:Count", "X617", "cannot read the file"),
    ("train.callbacks=[{kind: ./extras.py:Count, fail: 1}]", "X602", "did you mean `fail_at`?"),
    ("train.callbacks=./broken.py:Count", "X617", "broken.py:2:1"),
    ("data.metrics=first", "X602", "an import path"),
    ("data.metrics=./extras.py:first_token,./extras.py:first_token", "X602", "already"),
]


@pytest.mark.parametrize(("sets", "code", "message"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_value_is_one_diagnostic(sets, code, message, tmp_path, extras, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("a = 0\nb = 1 / a\n")
    done = run("mdlm", "train", *QUICK, "--set", sets, "--run", "run", check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert f"error[{code}]" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_an_exception_of_a_callback_is_reported_at_its_line(tmp_path, extras):
    callback = f"train.callbacks=[{{kind: {extras}:Count, fail_at: 3}}]"
    words = [*QUICK, "--steps", 6, "--set", callback, "--run", tmp_path / "run"]
    done = run("mdlm", "train", *words, check=False)
    assert done.returncode == 1
    line = EXTRAS.split("raise ValueError")[0].count("\n") + 1
    assert "error[X617]: the file raises ValueError: as asked" in done.stderr
    assert f"extras.py:{line}:" in done.stderr


def test_an_edited_file_is_executed_anew(tmp_path, extras):
    first = law_of(resolved(f"train.lr_schedule={extras}:half"))
    extras.write_text(EXTRAS.replace("low=0.5", "low=0.125"))
    second = law_of(resolved(f"train.lr_schedule={extras}:half"))
    at = Progress(0, 0.0, 0, 0.0)
    assert (first(at), second(at)) == (0.5, 0.125)


# ---- where values come from ----------------------------------------------------------------------


def test_info_says_which_layer_set_each_value(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("train: {clip: 0.5, optimizer: {kind: sgd, momentum: 0.9}}\n")
    words = ["info", "--task", "star_mini", "--size", "cpu", "--config", file, "--where"]
    done = run("mdlm", *words, "--set", "train.batch=16", "--set", "train.optimizer.nesterov=true")
    found = {
        line.split()[0]: line.split(maxsplit=2)[2].strip()
        for line in done.stdout.splitlines()
        if line.split(".")[0] in ("train", "data", "backbone", "noise", "sampler")
    }
    assert found["data.task"] == "--task"
    assert found["train.clip"] == "--config"
    assert found["train.optimizer"] == found["train.optimizer.momentum"] == "--config"
    assert found["train.optimizer.nesterov"] == "--set"
    assert found["train.batch"] == "--set"
    assert found["backbone.layers"] == "size cpu"
    assert found["train.beta2"] == "task"
    assert found["train.ema"] == found["sampler.ancestral.steps"] == "spec"
    assert found["noise.time.edge"] == found["train.seed"] == "default"
    assert run("mdlm", *words[:-1]).stdout.count("--config") == 0


def test_a_run_repeats_from_its_config(tmp_path):
    words = [*QUICK, "--steps", 4, "--set", "train.optimizer={kind: sgd, momentum: 0.9}"]
    run("mdlm", "train", *words, "--set", "train.loggers=[]", "--run", tmp_path / "a")
    run("mdlm", "train", "--config", tmp_path / "a" / "config.yaml", "--run", tmp_path / "b")
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert not (tmp_path / "b" / "tensorboard").exists()


def test_control_another_optimiser_gives_other_weights(tmp_path):
    for name in ("adamw", "sgd"):
        words = [*QUICK, "--steps", 4, "--set", f"train.optimizer={name}"]
        run("mdlm", "train", *words, "--run", tmp_path / name)
    assert weights(tmp_path / "adamw") != weights(tmp_path / "sgd")


def test_a_law_that_returns_no_number(tmp_path):
    (tmp_path / "law.py").write_text("def law(p):\n    return 'high'\n")
    with pytest.raises(Failed) as e:
        law_of(resolved(f"train.lr_schedule={tmp_path / 'law.py'}:law"))
    assert e.value.diagnostics[0].code == "X617"
