"""`train --teacher`: a frozen model that losses read."""

import json
import shutil

import pytest
import torch
import yaml
from code_blocks import blocks
from methods import ROOT
from package_runs import TINY, lines, package_of, run, run_package, weights

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.laws import verify_package
from xlm_spec.laws.package import import_package

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs" / "guides" / "extend-the-runtime.md").read_text()
DISTIL = next(b for b in blocks(PAGE, "python") if "def distil" in b)
SPEC = """
xlm_spec: 1
name: student
noise: {process: mask}
target: masked_tokens
loss: [./distil.py: {weight: elbo}]
sampler: ancestral
backbone: rotary
data: {task: star_mini}
"""
QUICK = [*TINY, "--set", "train.batch=16", "--set", "train.warmup=5"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("students")


@pytest.fixture(scope="module")
def student(place):
    (place / "distil.py").write_text(DISTIL)
    (place / "student.yaml").write_text(SPEC)
    return import_package(build(place / "student.yaml", place / "out").folder, "student")


@pytest.fixture(scope="module")
def teacher(place):
    words = [*QUICK, "--steps", 40, "--set", "train.evaluate_every=40"]
    run("mdlm", "train", *words, "--run", place / "teacher")
    return place / "teacher"


def test_a_student_approaches_its_teacher(student, teacher, tmp_path):
    """Two packages; the objective is the KL divergence alone."""
    before = weights(teacher)
    sets = ["--set", "backbone.width=16", "--set", "train.evaluate_every=20"]
    words = [*QUICK, *sets, "--teacher", teacher, "--steps", 60]
    run_package(student, "train", *words, "--run", tmp_path / "run")
    found = [v["loss"] for v in lines(tmp_path / "run") if v["split"] == "val"]
    assert 0 < found[-1] < found[0] / 2
    assert weights(teacher) == before
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert not [k for k in last["state_dict"] if "teacher" in k]
    groups = last["optimizer_states"][0]["param_groups"]
    model = student.Model(student.Config.small())
    one_layer = len([*model.parameters()]) - len([*model.backbone.blocks[0].parameters()])
    extra = 3  # positions and token shift of the size
    assert sum(len(g["params"]) for g in groups) == one_layer + extra
    words = ["eval", "--run", tmp_path / "run", "--split", "val", "--json"]
    evaluated = json.loads(run_package(student, *words).stdout)
    assert evaluated["loss"] < found[0] / 2
    run_package(student, "generate", "--run", tmp_path / "run")
    moved = teacher.rename(teacher.with_name("moved"))
    without = run_package(student, *words)
    assert json.loads(without.stdout)["loss"] is None
    assert json.loads(without.stdout)["token_accuracy"] == evaluated["token_accuracy"]
    assert f"warning: no teacher, so the loss is not computed ({teacher}: " in without.stderr
    wrong = run_package(student, *words, "--teacher", teacher, check=False)
    assert wrong.returncode == 1
    assert "error[X701]" in wrong.stderr
    again = json.loads(run_package(student, *words, "--teacher", moved).stdout)
    assert again["loss"] == evaluated["loss"]
    more = ["train", "--run", tmp_path / "run", "--resume", "--steps", 64]
    lost = run_package(student, *more, check=False)
    assert "error[X701]: the teacher does not exist" in lost.stderr
    assert "name its new place: --teacher CHECKPOINT" in lost.stderr
    other = moved / "checkpoints" / "other.ckpt"
    shutil.copy(moved / "checkpoints" / "last.ckpt", other)
    content = torch.load(other, weights_only=True)
    content["state_dict"]["model.token_logits.linear.bias"] += 1
    torch.save(content, other)
    differs = run_package(student, *more, "--teacher", other, check=False)
    assert differs.stderr.count("error[") == differs.stderr.count("error[X618]") == 1
    assert "differ from those of this run" in differs.stderr
    run_package(student, *more, "--teacher", moved)
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["teacher"] == str(moved)
    file = shutil.copy(tmp_path / "run" / "checkpoints" / "last.ckpt", tmp_path / "theirs.ckpt")
    words = ["eval", "--checkpoint", file, "--split", "val", "--json"]
    unnamed = run_package(student, *words)  # a file does not name the teacher
    assert json.loads(unnamed.stdout)["loss"] is None
    assert "but the run has no teacher: use --teacher CHECKPOINT" in unnamed.stderr
    named = run_package(student, *words, "--teacher", moved)
    assert json.loads(named.stdout)["loss"] is not None
    moved.rename(teacher)


def test_a_student_of_itself_has_no_loss(student, teacher, tmp_path):
    """The divergence of equal models is zero, in eval mode."""
    words = [*QUICK, "--init", teacher / "checkpoints" / "last.ckpt", "--teacher", teacher]
    words += ["--set", "train.lr=1e-12", "--set", "train.optimizer=sgd", "--steps", 2]
    run_package(student, "train", *words, "--run", tmp_path / "run")
    assert all(abs(v["loss"]) < 1e-6 for v in lines(tmp_path / "run"))


def test_without_a_teacher_training_is_one_diagnostic(student, tmp_path):
    words = ["train", *QUICK, "--steps", 2, "--run", tmp_path / "run"]
    done = run_package(student, *words, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert "error[X618]: a loss of student reads `model.teacher`" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_another_vocabulary_is_one_diagnostic(student, tmp_path, place):
    words = [*QUICK, "--steps", 2]
    run("arlm", "train", *words, "--run", place / "arlm")
    words += ["--teacher", place / "arlm", "--run", tmp_path / "run"]
    done = run_package(student, "train", *words, check=False)
    assert "error[X618]: the teacher has another vocabulary" in done.stderr
    assert done.stderr.count("error[") == 1


def test_a_teacher_that_nothing_reads_is_reported(teacher, tmp_path):
    words = ["train", *QUICK, "--steps", 2, "--teacher", teacher, "--run", tmp_path / "run"]
    line = "not used: the teacher; no loss of mdlm reads"
    assert line in run("mdlm", *words).stderr
    words = ["eval", "--run", teacher, "--split", "val", "--limit", 4, "--teacher"]
    for source in (teacher, tmp_path / "none"):
        assert run("mdlm", *words, source).stderr.count(line) == 1


def test_laws_of_the_objective_are_unverified_and_the_others_hold(student, place):
    results = verify_package(place / "out" / "student")
    assert not [r.line() for r in results if r.broken or r.status == "error"]
    why = {r.law: r.why for r in results if r.status == "unverified"}
    assert why["training lowers the objective"] == "a loss reads a trained `model.teacher`"
    held = {r.law for r in results if r.status == "held"}
    assert "alpha decreases from 1" in held


def test_only_losses_have_a_teacher(place):
    (place / "taught.py").write_text(
        '"""A target."""\n\nfrom torch import Tensor\n\n'
        "from ..types import TokenPositions\n\n\n"
        "def taught(model, clean: Tensor, masked: Tensor) -> TokenPositions:\n"
        '    """Targets."""\n    model.teacher(clean, masked)\n'
        "    row, col = masked.nonzero(as_tuple=True)\n"
        "    return TokenPositions(row, col, clean[row, col])\n"
    )
    text = SPEC.replace("target: masked_tokens", "target: ./taught.py")
    (place / "other.yaml").write_text(text.replace("name: student", "name: other"))
    with pytest.raises(Failed) as e:
        build(place / "other.yaml", place / "out")
    assert "X207" in {d.code for d in e.value.diagnostics}


def test_control_the_teacher_is_not_a_submodule(student, teacher):
    from xlm_spec.runtime.weights.teacher import Teacher

    package = package_of("mdlm")
    model, other = (package.Model(package.Config.small()) for _ in range(2))
    object.__setattr__(model, "teacher", Teacher(other))
    assert model.teacher.token_logits is other.token_logits
    assert len([*model.named_modules()]) == len([*other.named_modules()])
    model.train()
    assert not other.training
