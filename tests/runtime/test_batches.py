"""Evaluation and generation in the precision of the run, in batches that fit into memory."""

import importlib
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from methods import ROOT
from package_runs import TINY, package_of, run

from xlm_spec.runtime.evaluation.evaluate import figures
from xlm_spec.runtime.generation.generate import Drawing, sample_prompts, sampled
from xlm_spec.runtime.generation.prompts import prompts_to_continue
from xlm_spec.runtime.weights.load_model import load_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batches") / "run"
    words = ["--task", ROOT / "tests" / "tiny_task.py", *TINY[2:], "--steps", 2]
    run("mdlm", "train", *words, "--run", folder)
    main = importlib.import_module("mdlm.__main__")
    arguments = SimpleNamespace(run=folder, checkpoint=None, task=None, sets=[])
    return load_model(package_of("mdlm"), main.DATA, main.TRAIN, arguments)


def with_settings(trained, **train):
    return replace(trained, run=trained.run.replace("test", **train))


def plain(found):
    return {k: v for k, v in found.items() if "seconds" not in k}


def evaluated(trained):
    return plain(figures(trained, "ancestral", "val"))


def test_a_batch_that_does_not_fit_is_halved(model, capsys):
    """More than five rows ask torch's allocator for more memory than there is."""

    def ask(module, arguments):
        torch.empty(1 << (20 if len(arguments[0]) <= 5 else 55), dtype=torch.int8)

    prompts = prompts_to_continue(model, [], 12)
    drawing = Drawing(model, "confidence", seed=0, keep=False, fill=False)

    def generated(size):
        found = lambda part, _, answers, number: (number, part.texts, answers.tolist())  # noqa: E731
        return [*sampled(drawing, prompts, size, found)]

    wanted = evaluated(with_settings(model, evaluate_batch=5)), generated(5)
    hook = model.model.register_forward_pre_hook(ask)
    try:
        capsys.readouterr()
        assert evaluated(with_settings(model, evaluate_batch=20)) == wanted[0]
        lines = capsys.readouterr().err.splitlines()
        assert lines == [
            f"not enough memory for batches of {n}; continuing with {n // 2}" for n in (20, 10)
        ]
        assert generated(10) == wanted[1]
        with pytest.raises(RuntimeError, match="can't allocate memory"):
            drawing.drawn(prompts)
    finally:
        hook.remove()


@pytest.mark.parametrize("error", [RuntimeError("another one"), MemoryError()])
def test_control_other_errors_and_batches_of_one(error, model):
    def fail(module, arguments):
        raise error

    hook = model.model.register_forward_pre_hook(fail)
    try:
        with pytest.raises(type(error)):
            evaluated(with_settings(model, evaluate_batch=1 if error.args == () else 4))
    finally:
        hook.remove()


def test_the_precision_of_the_run(model):
    """The linear maps of a bf16 run compute in bfloat16, those of another one do not."""
    seen = []
    linear = next(m for m in model.model.modules() if isinstance(m, torch.nn.Linear))
    hook = linear.register_forward_hook(lambda m, i, out: seen.append(out.dtype))
    prompts = prompts_to_continue(model, [], 2)
    try:
        for precision, dtype in (("bf16-mixed", torch.bfloat16), ("32-true", torch.float32)):
            trained = with_settings(model, precision=precision)
            for compute in (
                lambda t=trained: evaluated(t),
                lambda t=trained: sample_prompts(t, "ancestral", prompts, 0),
            ):
                seen.clear()
                compute()
                assert set(seen) == {dtype}
    finally:
        hook.remove()
