"""The commands eval, generate and info; precedence of settings; wrong input."""

import json

import pytest
import torch
from methods import ROOT
from package_runs import TINY, run

pytestmark = pytest.mark.slow


def test_a_loss_that_is_nan_is_an_error(trained, tmp_path):
    found = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    found["state_dict"]["model.backbone.embed.token.weight"][3] = torch.nan
    torch.save(found, tmp_path / "broken.ckpt")
    done = run(
        "mdlm", "eval", "--checkpoint", tmp_path / "broken.ckpt", "--split", "val", check=False
    )
    assert done.returncode == 1
    assert "error[X610]" in done.stderr


def test_a_damaged_checkpoint_is_an_error(tmp_path):
    for broken in ({"state_dict": {}, "xlm_spec": {}}, {"state_dict": 3, "xlm_spec": 3}, [1]):
        torch.save(broken, tmp_path / "broken.ckpt")
        done = run("mdlm", "eval", "--checkpoint", tmp_path / "broken.ckpt", check=False)
        assert "error[X701]" in done.stderr


@pytest.mark.parametrize("sampler", ["ancestral", "confidence"])
def test_eval(sampler, trained):
    words = ["eval", "--run", trained, "--sampler", sampler, "--split", "val", "--json"]
    found, again = (json.loads(run("mdlm", *words).stdout) for _ in range(2))
    assert found["sampler"] == sampler
    assert found["examples"] == 1000
    assert {"package", "task", "size", "split", "loss", "seconds"} <= set(found)
    assert 0 <= found["sequence_accuracy"] <= found["token_accuracy"] <= 1
    took = {"seconds", "sampling_seconds"}
    assert took <= set(found)
    assert {k: v for k, v in found.items() if k not in took} == {
        k: v for k, v in again.items() if k not in took
    }


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


def test_settings_of_a_sampler_can_be_changed(trained):
    words = ["generate", "--run", trained, "--json"]
    words += ["--set", "sampler.ancestral.steps=3"]
    assert json.loads(run("mdlm", *words).stdout)["steps"] == 3


def test_a_checkpoint_loads_into_a_package_with_another_schedule(trained):
    best = trained / "checkpoints" / "best.ckpt"
    done = run("mdlm_cosine", "generate", "--checkpoint", best, "--json")
    assert json.loads(done.stdout)["steps"] == 128


def test_info():
    output = run("mdlm", "info", "--task", "star_mini", "--size", "cpu").stdout
    assert "parameters" in output
    assert "needs        bos, eos, mask" in output
    assert "elbo_weight(t, schedule)" in output


def test_info_says_that_the_bound_does_not_hold():
    words = ["info", "--task", "star_mini", "--size", "cpu"]
    assert "lower bound: log_likelihood_bound" in run("mdlm", *words).stdout
    output = run("mdlm", *words, "--set", "noise.schedule.eps=0.1").stdout
    assert "no bound of log p(x)" in output
    assert "exact: log_likelihood_bound is log p(x)" in run("arlm", *words).stdout


WRONG = [
    (["train", "--set", "train.bach=3"], "X601", "did you mean `train.batch`?"),
    (["train", "--set", "train.bach=3"], "X601", "allowed: train.batch, train.steps, "),
    (["train", "--set", "lr=3"], "X601", "did you mean `train.lr`?"),
    (["train", "--set", "steps=3"], "X601", "write one of: sampler."),
    (["train", "--set", "head.mine=3"], "X601", "sections: noise, sampler, backbone, data, train"),
    (["train", "--set", "backbone.layers=many"], "X602", "an integer"),
    (["train", "--set", "train.lr"], "X602", "KEY=VALUE"),
    (["train", "--set", "noise.schedule=cosine"], "X603", "build it again"),
    (["train", "--set", "sampler.confidence.kind=ancestral"], "X603", "build it again"),
    (["train", "--set", "backbone.heads=5"], "X604", "backbone.heads=5"),
    (["train", "--set", "backbone.positions=8"], "X616", "backbone.positions is 8"),
    (["info", "--set", "backbone.positions=8"], "X616", "train with backbone.positions="),
    (["train", "--size", "huge"], "X605", "cpu, paper"),
    (["train", "--task", "star_eazy"], "X501", "did you mean `star_easy`?"),
    (["train", "--config", "nowhere.yaml"], "X606", "No such file"),
    (["train", "--resume"], "X608", "use only --run, --resume"),
    (["train", "--minutes", "0"], "X602", "above 0"),
    (["train", "--set", "train.batch=0"], "X602", "[1, inf)"),
    (["train", "--set", "train.precision=bf16"], "X602", "bf16-mixed"),
    (["train", "--set", "data.task=star_eazy"], "X501", "did you mean `star_easy`?"),
    (["train", "--devices", "0"], "X602", "above 0"),
    (["eval", "--run", "nowhere"], "X701", "the run does not exist"),
    (["eval", "--checkpoint", "nowhere.ckpt"], "X701", "does not exist"),
    (["generate", "--checkpoint", str(ROOT / "README.md")], "X701", "cannot read"),
]


@pytest.mark.parametrize(("words", "code", "message"), WRONG, ids=lambda w: str(w)[:40])
def test_wrong_input_gives_one_diagnostic(words, code, message, tmp_path):
    where = ["--run", tmp_path / "run"] if words[0] == "train" and "--resume" not in words else []
    done = run("mdlm", *words, *where, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert f"error[{code}]" in done.stderr
    assert message in done.stderr
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


def test_precedence_of_settings(tmp_path, monkeypatch):
    """--set > --config > --size > spec > task's defaults."""
    monkeypatch.syspath_prepend(str(ROOT / "generated" / "mdlm"))
    import mdlm
    from xlm_spec.runtime.config.resolve_config import resolve_config

    spec = {"batch": 32, "lr": 1e-4}
    run_of = lambda **more: resolve_config(mdlm, {"fill": "eos"}, spec, "star_mini", **more)  # noqa: E731
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
