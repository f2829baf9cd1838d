"""Evaluation and generation on several devices have the figures and samples of one."""

import importlib
import json
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from methods import ROOT
from package_runs import package_of, run
from process_pairs import in_two_processes
from warm_python import python

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.evaluation.evaluate import figures
from xlm_spec.runtime.machine.devices import Devices, devices_of, shared
from xlm_spec.runtime.weights.load_model import load_model

pytestmark = pytest.mark.slow
TWO = ["--nodes", 1, "--devices", 2]  # that torchrun has started
QUICK = ["--set", "sampler.ancestral.steps=4"]
SETS = [*QUICK, "--set", "data.metrics=[edit_distance, distinct, repetition, perplexity, mauve]"]


def plain(text):
    """The objects on stdout, without times."""
    found = [json.loads(line) for line in text.splitlines()]
    return [{k: v for k, v in each.items() if "seconds" not in k} for each in found]


def assert_equal(a, b):
    """Words are equal, numbers to 1e-6."""
    assert a.keys() == b.keys()
    for key, value in a.items():
        assert b[key] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value)


def writer(folder):
    options = f"folder: {folder}, stages: [test, predict], fields: [prompt, answer, trajectory]"
    return ["--set", f"train.predictions=[{{kind: file, {options}}}]"]


@pytest.mark.parametrize("limit", [103, 20])  # three batches each, the last of 3; one has none
def test_two_devices_evaluate_as_one_does(limit, trained, tmp_path):
    """The loss and its likelihood to the bit, metrics to 1e-6, the same samples in order."""
    words = ["mdlm", "eval", "--run", trained, "--limit", limit, "--batch", 20, "--json", *SETS]
    [one] = plain(run(*words, *writer(tmp_path / "one")).stdout)
    given = [*words, *writer(tmp_path / "two"), *TWO]
    first, second = in_two_processes(lambda: run(*given))
    assert second.stdout == second.stderr == ""
    [two] = plain(first.stdout)
    assert_equal(one, two)
    exact = ("loss", "loss_error", "perplexity_bound", "examples", "steps", "calls_per_example")
    assert [two[k] for k in exact] == [one[k] for k in exact]
    [a], [b] = ([*(tmp_path / n).iterdir()] for n in ("one", "two"))
    assert a.name == b.name
    assert len(a.read_text().splitlines()) == limit
    assert a.read_text() == b.read_text()


def test_two_devices_generate_as_one_does(trained):
    """Seven prompts in batches of two. `--devices` starts its own processes."""
    words = ["generate", "--run", trained, "-n", 7, "--batch", 2, "--json", *QUICK]
    alone = run("mdlm", *words)
    assert len(plain(alone.stdout)) == 7
    command = [python(), "-m", "mdlm", *words, "--devices", 2]
    done = subprocess.run(
        [*map(str, command)],
        cwd=ROOT / "generated" / "mdlm",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert plain(done.stdout) == plain(alone.stdout), done.stderr
    assert done.stderr == alone.stderr


@pytest.fixture(scope="module")
def model(trained):
    main = importlib.import_module("mdlm.__main__")
    given = SimpleNamespace(run=trained, checkpoint=None, task=None, sets=QUICK[1:])
    return load_model(package_of("mdlm"), main.DATA, main.TRAIN, given)


def test_both_devices_halve_a_batch_that_does_not_fit_on_one(model):
    """More than ten rows do not fit on the second one."""

    def with_batch(size, **more):
        return replace(model, run=model.run.replace("test", evaluate_batch=size), **more)

    def ask(module, arguments):
        if torch.distributed.get_rank():
            torch.empty(1 << (20 if len(arguments[0]) <= 10 else 55), dtype=torch.int8)

    def work():
        place = devices_of(2, None)
        with shared(place, lambda: with_batch(40, devices=place)) as found:
            found.model.register_forward_pre_hook(ask)
            return found_without_times(figures(found, "ancestral", "val", 103))

    def found_without_times(found):
        return {k: v for k, v in found.items() if "seconds" not in k}

    first, second = in_two_processes(work)
    assert first == second
    wanted = found_without_times(figures(with_batch(10), "ancestral", "val", 103))
    assert_equal(wanted, first)


def test_a_process_that_fails_ends_the_others(model):
    """The first one reports it (X615); another one ends without a message."""

    def failing(number):
        def work():
            place = devices_of(2, None)
            with shared(place, lambda: model):
                if place.rank == number:
                    raise ValueError
                place.gathered("more")

        return work

    assert in_two_processes(failing(1)) == [Failed, ValueError]
    assert in_two_processes(failing(0)) == [ValueError, SystemExit]


def test_batches_are_gathered_in_order(monkeypatch):
    of_ranks = [["a", "c", "e"], ["b", "d"]]
    monkeypatch.setattr(Devices, "gathered", lambda self, value: of_ranks)
    assert Devices(0, 2).in_order(of_ranks[0]) == [*"abcde"]


def test_a_page_of_trajectories_is_sampled_on_one_device(trained, tmp_path):
    words = ["generate", "--run", trained, "--html", tmp_path / "page.html", "--devices", 2]
    done = run("mdlm", *words, check=False)
    assert "error[X602]: --html samples one batch, on one device" in done.stderr
