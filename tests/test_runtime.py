"""A package as its user meets it: train, resume, evaluate, sample, and get it wrong."""

import contextlib
import hashlib
import importlib
import io
import json
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
import yaml
from making import ROOT

from xlm_spec.runtime import main as runtime

pytestmark = pytest.mark.xdist_group("runtime")

TINY = [
    *("--task", "star_mini", "--size", "cpu"),
    *("--set", "backbone.layers=1", "--set", "backbone.width=32", "--set", "backbone.heads=2"),
    *("--set", "train.sample_examples=10", "--set", "train.log_every=4"),
]


def run(name, *words, check=True):
    """`python -m NAME ...`, in this process: what is run is what `__main__` runs."""
    folder = str(ROOT / "generated" / name)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    package, main = (importlib.import_module(n) for n in (name, f"{name}.__main__"))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = runtime.main(package, main.DATA, main.TRAIN, [str(w) for w in words])
        except SystemExit as e:  # argparse
            code = e.code
    if check:
        assert code == 0, err.getvalue()
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def lines(folder):
    """metrics.jsonl without the seconds."""
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(line.pop("seconds") >= 0 for line in found)
    return found


def weights(folder, name="last"):
    """sha256 of averaged and current weights."""
    found = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    digest = hashlib.sha256()
    for part in ("state_dict", "current_model_state"):
        for key, value in sorted(found.get(part, {}).items()):
            digest.update(key.encode() + value.numpy().tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def trained(place):
    """A run of 40 steps, with dropout, validated every 8."""
    folder = place / "trained"
    sets = ["--set", "train.evaluate_every=8", "--set", "backbone.dropout=0.1"]
    done = run("mdlm", "train", *TINY, *sets, "--steps", 40, "--run", folder)
    assert done.stdout.strip() == str(folder)
    assert "step 40" in done.stderr
    assert "\r" not in done.stderr  # plain lines where there is no terminal
    return folder


def test_a_run_folder(trained):
    config = yaml.safe_load((trained / "config.yaml").read_text())
    assert config["package"] == "mdlm"
    assert config["task"] == "star_mini"
    assert config["size"] == "cpu"
    assert config["train"]["steps"] == 40
    assert config["backbone"]["layers"] == 1
    assert config["vocab"]["size"] == 16
    found = lines(trained)
    assert [x["step"] for x in found if x["split"] == "train"] == list(range(4, 41, 4))
    assert [x["step"] for x in found if x["split"] == "val"] == [8, 16, 24, 32, 40]
    assert set(found[-1]) == {"step", "split", "loss", "sequence_accuracy", "token_accuracy"}
    assert {p.name for p in (trained / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    told = (trained / "predictions" / "val-0000040-0.jsonl").read_text().splitlines()
    assert len(told) == 10
    assert set(json.loads(told[0])) == {"prompt", "answer", "truth"}
    assert list((trained / "tensorboard").glob("events*"))


def test_the_config_repeats_the_run(trained, place):
    """Bit for bit."""
    again = place / "again"
    run("mdlm", "train", "--config", trained / "config.yaml", "--run", again)
    assert lines(again) == lines(trained)
    assert weights(again) == weights(trained)
    assert (again / "config.yaml").read_text() == (trained / "config.yaml").read_text()


def test_another_seed_is_another_run(trained, place):
    other = place / "other"
    run("mdlm", "train", "--config", trained / "config.yaml", "--seed", 1, "--run", other)
    assert weights(other) != weights(trained)


@pytest.mark.parametrize("kill_at", [12, 28])
def test_a_killed_run_resumes_bit_for_bit(kill_at, trained, place):
    killed = place / f"killed-{kill_at}"
    command = [sys.executable, "-m", "mdlm", "train", "--config", trained / "config.yaml"]
    process = subprocess.Popen(
        [*command, "--run", killed],
        cwd=ROOT / "generated" / "mdlm",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = killed / "metrics.jsonl"
    while not (log.exists() and f'"step": {kill_at},' in log.read_text()):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "checkpoints" / "last.ckpt").exists() or lines(killed) != lines(trained)
    run("mdlm", "train", "--run", killed, "--resume")
    assert lines(killed) == lines(trained)
    assert weights(killed) == weights(trained)


def test_an_interrupted_run_says_how_to_go_on(place):
    folder = place / "interrupted"
    process = subprocess.Popen(
        [sys.executable, "-m", "mdlm", "train", *TINY, "--steps", "9000", "--run", folder],
        cwd=ROOT / "generated" / "mdlm",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may ignore it
    )
    while not (folder / "metrics.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert f"--run {folder} --resume goes on" in told
    assert "Traceback" not in told


def test_a_run_killed_before_its_first_checkpoint_starts_again(trained, place):
    early = place / "early"
    early.mkdir()
    (early / "config.yaml").write_text((trained / "config.yaml").read_text())
    (early / "metrics.jsonl").write_text('{"step": 4, "split": "train", "seconds": 1.0}\n')
    run("mdlm", "train", "--run", early, "--resume")
    assert lines(early) == lines(trained)
    assert weights(early) == weights(trained)
    done = run("mdlm", "train", "--run", early, "--resume")  # once more, with nothing left to do
    assert "finished" in done.stderr
    assert lines(early) == lines(trained)


def test_a_loss_that_is_no_number_is_told(trained, tmp_path):
    found = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    found["state_dict"]["model.backbone.embed.weight"][3] = torch.nan
    torch.save(found, tmp_path / "broken.ckpt")
    done = run(
        "mdlm", "eval", "--checkpoint", tmp_path / "broken.ckpt", "--split", "val", check=False
    )
    assert done.returncode == 1
    assert "error[X610]" in done.stderr


def test_a_damaged_checkpoint_is_told(tmp_path):
    for broken in ({"state_dict": {}, "xlm_spec": {}}, {"state_dict": 3, "xlm_spec": 3}, [1]):
        torch.save(broken, tmp_path / "broken.ckpt")
        done = run("mdlm", "eval", "--checkpoint", tmp_path / "broken.ckpt", check=False)
        assert "error[X701]" in done.stderr


def test_mixed_precision_takes_a_step(place):
    sets = ["--set", "train.precision=bf16-mixed", "--steps", 2]
    run("mdlm", "train", *TINY, *sets, "--run", place / "bf16")


def test_two_processes_train_one_model(place):
    """Gloo on the CPU; --minutes and the folder are settled by the first process."""
    folder = place / "two"
    command = [sys.executable, "-m", "arlm", "train", *TINY, "--minutes", "0.01", "--devices", "2"]
    done = subprocess.run(
        [*command, "--run", str(folder)],
        cwd=ROOT / "generated" / "arlm",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder)
    steps = yaml.safe_load((folder / "config.yaml").read_text())["train"]["steps"]
    assert max(line["step"] for line in lines(folder)) == steps


def test_a_half_written_line_is_dropped(trained, tmp_path):
    from xlm_spec.runtime.record import cut

    log = tmp_path / "metrics.jsonl"
    whole = (trained / "metrics.jsonl").read_text()
    log.write_text(whole + '{"step": 41, "spl')
    assert cut(log, 16) > 0
    kept = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert max(kept) == 16


def test_micro_batches_equal_one_batch(trained, place):
    """Weights after accumulating two half batches: equal to rounding (dropout off, noise aside).

    Noise differs by micro-batch, so the autoregressive objective, which has none, is compared.
    """
    folders = [place / "whole", place / "halves"]
    for folder, n in zip(folders, (1, 2), strict=True):
        sets = ["--set", f"train.accumulate={n}", "--steps", 6]
        run("arlm", "train", *TINY, *sets, "--run", folder)
    found = [
        torch.load(f / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for f in folders
    ]
    for key in found[0]:
        assert torch.allclose(found[0][key], found[1][key], atol=1e-4), key


@pytest.mark.parametrize("sampler", ["ancestral", "confidence"])
def test_eval(sampler, trained):
    words = ["eval", "--run", trained, "--sampler", sampler, "--split", "val", "--json"]
    found, again = (json.loads(run("mdlm", *words).stdout) for _ in range(2))
    assert found["sampler"] == sampler
    assert found["examples"] == 1000
    assert {"package", "task", "size", "split", "loss", "seconds"} <= set(found)
    assert 0 <= found["sequence_accuracy"] <= found["token_accuracy"] <= 1
    del found["seconds"], again["seconds"]
    assert found == again


def test_generate(trained):
    words = ["generate", "--run", trained, "--sampler", "confidence"]
    found = [json.loads(x) for x in run("mdlm", *words, "-n", 3, "--json").stdout.splitlines()]
    assert len(found) == 3
    assert set(found[0]) == {"prompt", "text", "tokens", "steps", "network_calls", "seconds"}
    assert found[0]["network_calls"] == 5  # one a token, EOS included
    prompt = found[0]["prompt"]
    [own] = run("mdlm", *words, "--prompt", prompt, "--json").stdout.splitlines()
    assert json.loads(own)["text"] == found[0]["text"]  # greedy
    shown = run("mdlm", *words, "--prompt", prompt, "--watch")
    steps = [line for line in shown.stderr.splitlines() if line.strip()]
    assert [line.split()[0] for line in steps] == list("012345")
    assert [line.count("_") for line in steps] == [5, 4, 3, 2, 1, 0]
    assert shown.stdout.strip().startswith(f"{prompt} -> ")
    seeds = [
        run("mdlm", "generate", "--run", trained, "-n", 3, "--seed", s).stdout for s in (1, 1, 2)
    ]
    assert seeds[0] == seeds[1] != seeds[2]


def test_numbers_of_a_sampler_can_be_set(trained):
    words = ["generate", "--run", trained, "--json"]
    words += ["--set", "sampler.ancestral.steps=3"]
    assert json.loads(run("mdlm", *words).stdout)["steps"] == 3


def test_a_checkpoint_loads_into_a_package_with_another_schedule(trained):
    best = trained / "checkpoints" / "best.ckpt"
    done = run("mdlm_cosine", "generate", "--checkpoint", best, "--json")
    assert json.loads(done.stdout)["steps"] == 128


def test_training_can_start_from_a_checkpoint(trained, place):
    folder = place / "init"
    best = trained / "checkpoints" / "best.ckpt"
    run("mdlm", "train", *TINY, "--steps", 4, "--init", best, "--run", folder)
    first = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    begun = torch.load(best, weights_only=True)["state_dict"]
    change = max(float((first[k] - begun[k]).abs().max()) for k in begun)
    assert change < 0.05  # a fresh start would differ by the size of the weights
    again = place / "init-again"
    run("mdlm", "train", "--config", folder / "config.yaml", "--run", again)
    assert weights(again) == weights(folder)
    killed = place / "init-killed"  # before its first checkpoint
    killed.mkdir()
    (killed / "config.yaml").write_text((folder / "config.yaml").read_text())
    run("mdlm", "train", "--run", killed, "--resume")
    assert weights(killed) == weights(folder)


def test_overfit_learns_one_batch(place):
    folder = place / "overfit"
    run("arlm", "train", *TINY, "--overfit", "--steps", 60, "--run", folder)
    losses = [x["loss"] for x in lines(folder) if x["split"] == "train"]
    assert losses[-1] < 0.75 * losses[0]


def test_minutes_fix_a_number_of_steps(place):
    folder = place / "minutes"
    done = run("arlm", "train", *TINY, "--minutes", 0.02, "--run", folder)
    steps = yaml.safe_load((folder / "config.yaml").read_text())["train"]["steps"]
    assert f"{steps} steps" in done.stderr
    assert max(x["step"] for x in lines(folder)) == steps


def test_info():
    told = run("mdlm", "info", "--task", "star_mini", "--size", "cpu").stdout
    assert "parameters" in told
    assert "needs        bos, eos, mask" in told
    assert "masked_tokens_rate(t, schedule)" in told


WRONG = [
    (["train", "--set", "train.bach=3"], "X601", "did you mean `train.batch`?"),
    (["train", "--set", "backbone.layers=many"], "X602", "a whole number"),
    (["train", "--set", "train.lr"], "X602", "key=value"),
    (["train", "--set", "noise.schedule=cosine"], "X603", "build it again"),
    (["train", "--set", "sampler.confidence.kind=ancestral"], "X603", "build it again"),
    (["train", "--set", "backbone.heads=5"], "X604", "backbone.heads=5"),
    (["train", "--size", "huge"], "X605", "cpu, paper"),
    (["train", "--task", "star_eazy"], "X501", "did you mean `star_easy`?"),
    (["train", "--config", "nowhere.yaml"], "X606", "No such file"),
    (["train", "--resume"], "X608", "--run and --resume alone"),
    (["train", "--minutes", "0"], "X602", "above 0"),
    (["train", "--set", "train.batch=0"], "X602", "[1, inf)"),
    (["train", "--set", "train.precision=bf16"], "X602", "bf16-mixed"),
    (["train", "--set", "data.task=star_eazy"], "X501", "did you mean `star_easy`?"),
    (["train", "--devices", "0"], "X602", "above 0"),
    (["eval", "--run", "nowhere"], "X701", "no checkpoint"),
    (["eval", "--checkpoint", "nowhere.ckpt"], "X701", "no such checkpoint"),
    (["generate", "--checkpoint", str(ROOT / "README.md")], "X701", "cannot read"),
]


@pytest.mark.parametrize(("words", "code", "told"), WRONG, ids=lambda w: str(w)[:40])
def test_wrong_input_ends_in_one_diagnostic(words, code, told, tmp_path):
    where = ["--run", tmp_path / "run"] if words[0] == "train" and "--resume" not in words else []
    done = run("mdlm", *words, *where, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert f"error[{code}]" in done.stderr
    assert told in done.stderr
    assert not (tmp_path / "run").exists()


def test_wrong_input_about_a_run(trained):
    for words, code in [
        (["train", *TINY, "--run", trained], "X607"),
        (["eval", "--run", trained, "--sampler", "confidense"], "X703"),
        (["generate", "--run", trained, "--prompt", "1 2 forty"], "X502"),
        (["generate", "--run", trained, "--prompt", "1 " * 99], "X503"),
        (["eval", "--run", trained, "--task", "star_easy"], "X702"),
        (["eval", "--run", trained, "--set", "backbone.layers=2"], "X702"),
    ]:
        done = run("mdlm", *words, check=False)
        assert done.returncode == 1
        assert f"error[{code}]" in done.stderr
    assert run("arlm", "eval", "--checkpoint", trained / "checkpoints" / "best.ckpt", check=False)


def test_usage_errors_exit_2():
    assert run("mdlm", "train", "--no-such-flag", check=False).returncode == 2
    assert run("mdlm", check=False).returncode == 2


def test_who_wins(tmp_path, monkeypatch):
    """--set > --config > --size > spec > task's defaults."""
    monkeypatch.syspath_prepend(str(ROOT / "generated" / "mdlm"))
    import mdlm
    from xlm_spec.runtime.choose import choose

    spec = {"batch": 32, "lr": 1e-4}
    run_of = lambda **more: choose(mdlm, {"fill": "eos"}, spec, "star_mini", **more)  # noqa: E731
    assert run_of().train.batch == 32  # the spec
    assert run_of().train.beta2 == 0.98  # the task's default
    assert run_of().train.clip == 1.0  # the setting's own
    assert run_of(size="cpu").train.lr == 3e-3
    assert run_of(size="cpu").config.backbone.layers == 3
    config = {"train": {"lr": 2e-3}, "backbone": {"layers": 5}}
    assert run_of(size="cpu", config=config).train.lr == 2e-3
    assert run_of(size="cpu", config=config).config.backbone.layers == 5
    last = run_of(size="cpu", config=config, sets=["train.lr=1e-3"])
    assert last.train.lr == 1e-3
    assert last.origin["train.lr"] == "--set"
