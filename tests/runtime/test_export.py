"""`export`: the folder loads with torch alone, with transformers, by pip, and as a checkpoint."""

import ast
import importlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch
import yaml
from methods import ROOT
from package_runs import TINY, package_of, run

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.laws.package import import_package
from xlm_spec.runtime import checkpoint, export, model_card, pretrained, teacher
from xlm_spec.runtime import exported as exported_settings
from xlm_spec.runtime.layout import layout_of
from xlm_spec.runtime.load_model import TrainedModel, load_model
from xlm_spec.runtime.model_card import laws
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.resolve_config import build_model, resolve_config
from xlm_spec.runtime.scoring import draw
from xlm_spec.runtime.tasks.pairs import Columns
from xlm_spec.runtime.tokenizer_files import tokenizer_files
from xlm_spec.runtime.words import CharacterTokenizer, SubwordTokenizer, WordTokenizer

pytestmark = pytest.mark.slow

PACKAGES = sorted(p.name for p in (ROOT / "generated").iterdir() if p.is_dir())
HEADS = {"ilm": "gap_token_logits", "ilm_per_count": "gap_token_logits"}  # others: token_logits
SETS = ["backbone.layers=1", "backbone.width=16", "backbone.heads=2"]


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """The export of a run, in the folder `star`."""
    folder = tmp_path_factory.mktemp("exports") / "star"
    done = run("mdlm", "export", "--run", trained, "--to", folder)
    assert done.stdout.strip() == str(folder)
    return folder


@pytest.fixture(scope="module")
def minimal(tmp_path_factory):
    """The export of a small random model."""
    folder = tmp_path_factory.mktemp("exports") / "minimal"
    untrained(package_of("mdlm"), folder)
    return folder


def untrained(package, folder, *sets) -> TrainedModel:
    """A small random model of a package, exported into a folder."""
    main = importlib.import_module(f"{package.__name__}.__main__")
    given = (package, main.DATA, main.TRAIN, "star_mini", "cpu", None, [*SETS, *sets])
    r = resolve_config(*given)
    layout = layout_of(package, r.task, r.config.vocab, r.data.fill)
    torch.manual_seed(0)
    model = build_model(r, layout.max_length).eval()
    found = TrainedModel(r, layout, model, torch.device("cpu"), folder / "none.ckpt", None)
    export.write_export(found, folder, folder.name)
    return found


def prompts_of(trained, n):
    rows = trained.run.task.rows("test").take(slice(0, n))
    pairs = zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
    return rows, [prompt[:length] for prompt, length in pairs]


def require_same_samples(known, folder):
    """Those of the exported folder are those of the runtime."""
    loaded = pretrained.load(folder, known.run.package)
    rows, prompts = prompts_of(known, 3)
    start = known.layout.start(rows.prompt, rows.prompt_length)
    sampler = [*known.run.package.SAMPLERS][-1]
    expected = draw(known.run, known.layout, known.model, sampler, start, generator(1)).answers
    found = loaded.sample(prompts, sampler, generator(1))
    assert found == [[t for t in row if t >= 0] for row in expected.tolist()]
    assert loaded.config == known.run.config


def head_of(folder):
    return json.loads((folder / "config.json").read_text())["logits_head"]


@pytest.mark.parametrize("name", PACKAGES)
def test_an_export_samples_as_the_runtime_does(name, tmp_path):
    require_same_samples(untrained(package_of(name), tmp_path / name), tmp_path / name)
    assert head_of(tmp_path / name) == HEADS.get(name, "token_logits")


def test_custom_components_are_exported(tmp_path):
    """Heads, types and states of Edit Flows, which are those of no shipped component."""
    spec = shutil.copytree(ROOT / "tests" / "families" / "edit_flows", tmp_path / "spec")
    package = import_package(build(spec / "edit_flows.yaml", tmp_path).folder, "edit_flows")
    require_same_samples(untrained(package, tmp_path / "out"), tmp_path / "out")
    assert head_of(tmp_path / "out") == "token_logits"  # not that of the inserted tokens
    assert (tmp_path / "out" / "model.py").read_text().count("edit_rates") > 0


ALONE = """
import sys

class Closed:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {closed!r}:
            raise ImportError("closed: " + name)

sys.meta_path.insert(0, Closed())
sys.path[:0] = {paths!r}
{code}
"""
CLOSED = ("xlm_spec", "lightning", "transformers", "safetensors", "tokenizers", "yaml", "datasets")


def alone(code, *paths):
    """What Python prints where only torch can be imported."""
    script = ALONE.format(closed=CLOSED, paths=[str(p) for p in paths], code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def unpacked(folder):
    """The content of the wheel in a folder, as pip installs it."""
    [made] = folder.glob("*.whl")
    shutil.unpack_archive(made, folder / "unpacked", "zip")
    return folder / "unpacked"


def test_the_folder_and_the_wheel_of_the_package_need_torch_alone(exported, tmp_path):
    """The wheel is that of generated/mdlm; the weights are those of the export."""
    copy = shutil.copytree(ROOT / "generated" / "mdlm", tmp_path / "mdlm")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, copy, "-w", tmp_path / "wheel"], check=True)
    site = unpacked(tmp_path / "wheel")
    words = json.loads((exported / "words.json").read_text())["words"].split()
    prompt = " ".join(words[:3])
    code = f"""
import mdlm
from star import load
for model in (load(), load(package=mdlm)):
    print(model.package.__file__)
    print(model.generate([{prompt!r}] * 2, sampler="confidence"), model.generate(seed=3))
"""
    own, first, installed, second = alone(code, exported.parent, site)
    assert own == str(exported / "package.py")
    assert installed == str(site / "mdlm" / "__init__.py")
    assert first == second
    trained = pretrained.load(exported, package_of("mdlm"))
    expected = trained.generate([prompt] * 2, sampler="confidence"), trained.generate(seed=3)
    assert first == f"{expected[0]} {expected[1]}"


def test_the_folder_is_a_project_that_installs_code_and_weights(exported, tmp_path):
    copy = shutil.copytree(exported, tmp_path / "copy")
    command = [Path(sys.executable).with_name("hatchling"), "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    installed = import_package(unpacked(tmp_path), "mdlm")
    assert Path(installed.__file__).parent == tmp_path / "unpacked" / "mdlm"
    found = installed.load().generate(seed=3)
    assert found == pretrained.load(exported, package_of("mdlm")).generate(seed=3)


def test_an_export_is_a_checkpoint(exported, trained):
    """The averaged weights: those with which the run was validated."""
    words = ["generate", "-n", 2, "--json"]
    texts = []
    for source in (("--run", trained), ("--checkpoint", exported)):
        done = run("mdlm", *words, *source)
        assert "differs" not in done.stderr
        texts.append([json.loads(line)["text"] for line in done.stdout.splitlines()])
    assert texts[0] == texts[1]
    best = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    stored = pretrained.read_safetensors(exported / "model.safetensors")
    assert {f"model.{k}" for k in stored} == set(best["state_dict"])
    assert all(torch.equal(v, best["state_dict"][f"model.{k}"]) for k, v in stored.items())
    key = "model.backbone.embed.token.weight"
    assert not torch.equal(best["state_dict"][key], best["current_model_state"][key])


def test_a_run_starts_from_an_export(exported, tmp_path):
    for source in (exported, exported / "model.safetensors"):
        words = ["train", *TINY, "--steps", 1, "--set", "train.lr=1e-9", "--init", source]
        folder = tmp_path / f"run-{source.suffix}"
        run("mdlm", *words, "--run", folder)
        last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for k, v in pretrained.load(exported, package_of("mdlm")).model.state_dict().items():
            torch.testing.assert_close(last[f"model.{k}"], v, atol=1e-7, rtol=0)


def test_the_weights_of_another_model_are_no_export(exported, tmp_path):
    for name in ("config.json", "model.safetensors"):
        shutil.copy(exported / name, tmp_path / name)
    file = tmp_path / "model.safetensors"
    assert checkpoint.located(file) == file
    assert checkpoint.located(exported / file.name) == checkpoint.located(exported) == exported


def test_the_model_card(exported, monkeypatch, capsys):
    card = (exported / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\n")
    assert (ROOT / "generated" / "mdlm" / "spec.yaml").read_text().strip() in card
    assert "with the exact model the sampler follows the data distribution | held" in card
    assert "| steps | 40 of 40 |" in card
    assert "| task | star_mini |" in card
    assert "The run changed `backbone.layers=1`, `backbone.width=32`" in card
    assert re.search(r"\| token_accuracy \| 0\.\d{4} \|", card)
    assert "eprint = {2406.07524}" in card
    with_torch, _ = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.syspath_prepend(str(exported.parent))
    exec(with_torch, {})
    assert capsys.readouterr().out.startswith("['")


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("my-model", "my_model"),
        ("mdlm", "mdlm"),
        ("v1.0", "v1_0"),
        ("2 fast", "model_2_fast"),
        ("class", "model_class"),
        ("alice/mdlm-star", "mdlm_star"),
        ('say "hi"', "say__hi_"),
    ],
)
def test_the_code_of_the_card_runs(name, module, minimal, tmp_path, monkeypatch, capsys):
    """With names and prompts that are no Python, and where the folder has the package's name."""
    args = Namespace(checkpoint=minimal, run=None, task=None, sets=["sampler.ancestral.steps=1"])
    trained = load_model(package_of("mdlm"), {"fill": "eos"}, {}, args)
    card = model_card.use(trained, name)
    with_torch, _ = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert ("hf download" in card, "rename it" in card) == (
        "/" in name,
        "/" not in name and module != name,
    )
    shutil.copytree(minimal, tmp_path / module)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, module, raising=False)
    exec(with_torch, {})
    sys.modules.pop(module)
    assert capsys.readouterr().out.startswith("['")
    names = [ast.literal_eval(n) for n in re.findall(r"from_pretrained\((.*?), trust", card)]
    assert names == [name, name]
    for prompt in ('say "hi" 1', "it's \\n", "a\nb", "-x", "é😀"):
        monkeypatch.setattr(model_card, "example", lambda _, prompt=prompt: prompt)
        card = model_card.use(trained, name)
        for code in re.findall(r"```python\n(.*?)```", card, re.DOTALL):
            texts = [n.value for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Constant)]
            assert prompt in texts
        [line] = re.findall(r"```sh\n(.*?)\n```", card, re.DOTALL)
        source = f"hf:{name}" if "/" in name else f"/path/to/{name}"
        words = ["python", "-m", "mdlm", "generate", "--checkpoint", source, f"--prompt={prompt}"]
        assert shlex.split(line) == words


def test_the_command_of_the_card_runs(minimal, tmp_path):
    """In the folder of the package; the folder of the export has its name."""
    copy = shutil.copytree(minimal, tmp_path / "mdlm")
    task = ROOT / "xlm_spec" / "runtime" / "tasks" / "star_mini.py"
    project = shutil.copytree(ROOT / "generated" / "mdlm", tmp_path / "out" / "mdlm")
    shutil.copy(task, project / "own.py")
    args = Namespace(checkpoint=minimal, run=None, task=str(project / "own.py"), sets=[])
    trained = load_model(package_of("mdlm"), {"fill": "eos"}, {}, args)
    [line] = re.findall(r"```sh\n(.*?)\n```", model_card.use(trained, "mdlm"), re.DOTALL)
    assert " --task ./own.py " in line
    words = [w.replace("/path/to/mdlm", str(copy)) for w in shlex.split(line)]
    done = subprocess.run([sys.executable, *words[1:]], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" -> ") == 1


def test_the_card_of_edited_code_shows_no_laws(trained, tmp_path):
    copy = shutil.copytree(ROOT / "generated" / "mdlm", tmp_path / "mdlm")
    (copy / "mdlm" / "loss.py").write_text((copy / "mdlm" / "loss.py").read_text() + "\n")
    assert "held" in laws(ROOT / "generated" / "mdlm")
    assert (
        laws(copy) == "The recorded verification is of other code: this code has been edited since."
    )
    (copy / "README.md").unlink()
    assert laws(copy) == "No verification is recorded for this code."


@pytest.fixture
def private(tmp_path):
    """A model whose spec and run name private files and code with secret options."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "words.txt").write_text("the cat sat\n" * 60)
    (folder / "extra.py").write_text("def ones(answers, rows):\n    return 0, 1\n")
    copy = shutil.copytree(ROOT / "generated" / "mdlm", tmp_path / "mdlm")
    spec = yaml.safe_load((copy / "spec.yaml").read_text())
    spec["data"] = {"task": "text", "file": f"{folder}/words.txt", "block": 8}
    spec["data"]["manager"] = {"kind": f"{folder}/extra.py:M", "password": "secret"}
    spec["train"] |= {"loggers": [{"kind": "wandb", "api_key": "secret"}], "report_to": "secret"}
    spec["train"]["callbacks"] = [{"kind": "./cb.py:Slack", "webhook": "https://x.y/secret"}]
    spec["train"]["optimizer"] = {"kind": "./opt.py:Opt", "token": "secret"}
    (copy / "spec.yaml").write_text(f"# in {folder}/\n{yaml.safe_dump(spec)}")
    package = import_package(copy, "mdlm")
    data = {k: v for k, v in spec["data"].items() if k != "manager"} | {"fill": "none"}
    train = {k: v for k, v in spec["train"].items() if k not in ("report_to", "optimizer")}
    sets = [*SETS, f"data.metrics={folder}/extra.py:ones"]
    sets += ["train.lr_schedule={kind: wsd, decay: 0.3}"]
    sets += ["train.strategy={kind: a.b.Strategy, token: secret}"]
    r = resolve_config(package, data, train, "text", "cpu", None, sets)
    layout = layout_of(package, r.task, r.config.vocab, r.data.fill)
    model = build_model(r, layout.max_length).eval()
    yield TrainedModel(r, layout, model, torch.device("cpu"), folder / "x.ckpt", 3)
    package_of("mdlm")


def test_no_secret_and_no_folder_of_this_machine_is_published(private, tmp_path):
    """Of a task or a text only the names of their files; of code with options nothing."""
    assert "secret" in str(private.run.as_dict())
    export.write_export(private, tmp_path / "out", "out")
    texts = {
        f.name: f.read_text() for f in (tmp_path / "out").iterdir() if f.suffix != ".safetensors"
    }
    for name in ("config.json", "README.md", "spec.yaml"):
        assert "words.txt" in texts[name]
    for word in ("private", "secret", str(tmp_path), "Slack", "webhook", "api_key", "injected"):
        assert [name for name, text in texts.items() if word in text] == []
    spec = yaml.safe_load(texts["spec.yaml"])
    assert spec["data"] == {"task": "text", "file": "words.txt", "block": 8}
    assert not {"loggers", "callbacks", "optimizer", "report_to"} & set(spec["train"])
    assert spec["train"]["batch"] == 64
    settings = json.loads(texts["config.json"])["xlm_spec"]
    assert settings["train"]["lr_schedule"] == {"kind": "wsd", "decay": 0.3}
    assert not {"loggers", "callbacks", "strategy"} & set(settings["train"])
    assert not {"manager", "loaders", "metrics"} & set(settings["data"])
    package = private.run.package
    loaded = pretrained.load(tmp_path / "out", package)
    [answer] = loaded.sample([loaded.words.encode("the ")], None, generator(0))
    assert len(answer) == 4
    args = Namespace(checkpoint=tmp_path / "out", run=None, task=None, sets=[])
    again = load_model(package, {"fill": "none"}, {}, args).run
    assert again.task.words == private.run.task.words


def test_paths_of_a_machine():
    for path in ("/home/me/a.txt", "~/me/a.txt", "../me/a.txt", "C:\\me\\a.txt"):
        assert exported_settings.without_folders({"x": [path]}) == {"x": ["a.txt"]}
        assert exported_settings.FOLDER.search(f"# see {path}") or path.startswith("..")
    for text in ("bob/data", "./heads.py:Head", "a.txt", "and/or", "arXiv:2406.07524", "p(x/y/z)"):
        assert exported_settings.without_folders(text) == text
        assert not exported_settings.FOLDER.search(text)
    assert not exported_settings.FOLDER.search("https://arxiv.org/abs/1 and ./heads/own.py")


EVIL = {"kind": "os.abort", "name": "more"}
RUNS_CODE = {
    "a manager": {"data": {"manager": EVIL}},
    "a dotted manager": {"data.manager": EVIL},
    "a dotted name of a manager": {"data.manager": "os.abort"},
    "options of a manager by their names": {"data.manager.kind": "os.abort"},
    "a dotted name in a section": {"data": {"manager.kind": "os.abort"}},
    "loaders": {"data": {"loaders": [EVIL, {"kind": "task", "name": "x", "task": "./evil.py"}]}},
    "dotted loaders": {"data.loaders": [EVIL]},
    "metrics": {"data": {"metrics": ["os.abort", "./evil.py:count"]}},
    "dotted metrics": {"data.metrics": ["os.abort"]},
    "an optimizer": {"train": {"optimizer": EVIL}},
    "a dotted optimizer": {"train.optimizer": EVIL},
    "a schedule": {"train": {"lr_schedule": "os.abort"}},
    "a strategy": {"train": {"strategy": "os.abort"}},
    "loggers": {"train": {"loggers": ["csv", "os.abort"], "callbacks": [EVIL]}},
    "the code of others": {"injected": {"os.abort": ""}, "teacher": "evil", "init": "evil"},
    "a package in a package": {"package": "os.path"},
}


@pytest.mark.parametrize("changes", RUNS_CODE.values(), ids=RUNS_CODE)
def test_an_export_runs_no_code_that_its_settings_name(changes, minimal, tmp_path, capsys):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    clean = checkpoint.load(copy)["xlm_spec"]
    assert capsys.readouterr().err == ""
    for key, value in changes.items():
        old = content["xlm_spec"].get(key)
        content["xlm_spec"][key] = old | value if isinstance(old, dict) else value
    (copy / "config.json").write_text(json.dumps(content))
    read = checkpoint.load(copy)["xlm_spec"]
    assert not re.search("abort|evil|os.path", json.dumps(read))
    assert read["backbone"] == clean["backbone"]
    args = Namespace(checkpoint=copy, run=None, task=None, sets=[])
    found = load_model(package_of("mdlm"), {"fill": "eos"}, {}, args).run
    assert found.injected == {}
    assert (found.data.manager, found.data.loaders, found.data.metrics) == ("task", (), ())
    assert (found.train.optimizer, found.train.lr_schedule) == ("adamw", "cosine")
    assert (found.teacher_file, found.init) == ("", "")
    for command in (["generate", "-n", 1], ["eval", "--split", "val"]):
        run("mdlm", *command, "--checkpoint", copy, "--set", "sampler.ancestral.steps=1")


def test_settings_that_are_left_out_are_named(minimal, tmp_path, capsys):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    content["xlm_spec"]["data"] |= {"manager": "os.abort", "loaders": [], "metrics": ["os.abort"]}
    content["xlm_spec"]["train"] |= {"optimizer": {"kind": "sgd", "momentum": 0.5}}
    (copy / "config.json").write_text(json.dumps(content))
    read = checkpoint.load(copy)["xlm_spec"]
    assert read["train"]["optimizer"] == {"kind": "sgd", "momentum": 0.5}
    err = capsys.readouterr().err
    assert err == "not used: settings that no export has, data.manager, data.metrics\n"


def test_an_export_without_settings_is_damaged(minimal, tmp_path):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    for wrong in ({}, [], None, {"task": ["star_mini"], "vocab": {"size": 3}}):
        (copy / "config.json").write_text(json.dumps(content | {"xlm_spec": wrong}))
        with pytest.raises(Failed, match="cannot read the export"):
            checkpoint.load(copy)


def test_the_task_file_of_an_export_is_passed_by_its_user(minimal, tmp_path):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    content["xlm_spec"]["task"] = "sort.py"
    (copy / "config.json").write_text(json.dumps(content))
    (tmp_path / "sort.py").write_text("raise SystemExit\n")
    done = run("mdlm", "generate", "--checkpoint", copy, check=False)
    assert done.stderr.count("error[") == 1
    assert "error[X501]: the export was trained on a task file, `sort.py`" in done.stderr
    assert "--task ./sort.py" in done.stderr


def test_no_data_are_read_to_measure_an_export(minimal, tmp_path, monkeypatch):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    content["xlm_spec"] |= {"task": "pairs"}
    content["xlm_spec"]["data"] |= {"task": "pairs", "hub": "evil/data", "longest_prompt": 0}
    monkeypatch.setattr(Columns, "rows", lambda *_: pytest.fail("the data are read"))
    for more, missing in (
        ({"longest_answer": 5}, "data.longest_prompt"),
        ({"longest_prompt": 5}, "data.longest_answer"),
        ({"prompt": ""}, "data.longest_answer"),
    ):
        settings = content["xlm_spec"] | {"data": content["xlm_spec"]["data"] | more}
        (copy / "config.json").write_text(json.dumps(content | {"xlm_spec": settings}))
        done = run("mdlm", "generate", "--checkpoint", copy, "--prompt", "1", check=False)
        assert done.stderr.count("error[") == 1
        assert f"error[X701]: the export has no {missing}" in done.stderr


def test_an_export_is_a_teacher(exported, trained):
    args = Namespace(checkpoint=None, run=trained, task=None, sets=[])
    known = load_model(package_of("mdlm"), {"fill": "eos"}, {}, args)
    x = known.layout.examples(known.run.task.rows("test").take(slice(0, 2)))
    for source in (exported, trained):
        found = teacher.load(source, known.run)
        assert torch.equal(found(x.tokens, x.valid), known.model(x.tokens, x.valid))


def test_wrong_uses(exported, trained, tmp_path):
    used = run("mdlm", "export", "--run", trained, "--to", exported, check=False)
    assert used.returncode == 1
    assert "error[X630]: the folder of the export is not empty" in used.stderr
    damaged = shutil.copytree(exported, tmp_path / "damaged")
    for name, content in (("model.safetensors", b"12"), ("config.json", b"{}")):
        (damaged / name).write_bytes(content)
        done = run("mdlm", "generate", "--checkpoint", damaged, check=False)
        assert done.stderr.count("error[") == 1
        assert "error[X701]: cannot read the export" in done.stderr
    loaded = pretrained.load(exported, package_of("mdlm"))
    for call, message in (
        (lambda: loaded.generate(["1 " * 99]), "a prompt has 99 of"),
        (lambda: loaded.generate(["forty"]), "'forty' is not in the vocabulary"),
        (lambda: loaded.generate(sampler="ancestrel"), "there are ancestral, confidence"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_one_text_is_no_list_of_prompts(minimal):
    loaded = pretrained.load(minimal, package_of("mdlm"))
    with pytest.raises(TypeError, match=r"write generate\(\[prompt\]\)"):
        loaded.generate("0 4 3")


def test_a_module_with_a_name_that_the_export_needs(tmp_path, monkeypatch):
    copy = shutil.copytree(ROOT / "generated" / "mdlm" / "mdlm", tmp_path / "mdlm")
    (copy / "pretrained.py").write_text("")
    known = untrained(package_of("mdlm"), tmp_path / "first")
    monkeypatch.setattr(known.run.package, "__file__", str(copy / "__init__.py"))
    with pytest.raises(Failed, match="the package has a module `pretrained`"):
        export.write_export(known, tmp_path / "second", "second")
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("file", ["extra/__init__.py", "extra/deep/own.py"])
def test_a_package_with_a_sub_package_is_not_exported(file, tmp_path, monkeypatch):
    copy = shutil.copytree(ROOT / "generated" / "mdlm" / "mdlm", tmp_path / "mdlm")
    known = untrained(package_of("mdlm"), tmp_path / "first")
    for name in (".ipynb_checkpoints/model-checkpoint.py", file):
        (copy / name).parent.mkdir(parents=True)
        monkeypatch.setattr(known.run.package, "__file__", str(copy / "__init__.py"))
        (copy / name).write_text("")
        if name != file:
            export.write_export(known, tmp_path / "second", "second")  # no module
    with pytest.raises(Failed, match=f"the package has a module in a subfolder, `{file}`"):
        export.write_export(known, tmp_path / "third", "third")
    assert not (tmp_path / "third").exists()


# ---- transformers --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def auto():
    """The library, with its cache in the home of the tests."""
    return pytest.importorskip("transformers")


@pytest.mark.parametrize("name", ["mdlm", "ilm", "gidd", "arlm"])
def test_automodel_has_the_same_logits_and_samples(name, auto, tmp_path):
    known = untrained(package_of(name), tmp_path / f"star-{name}")
    model = auto.AutoModel.from_pretrained(tmp_path / f"star-{name}", trust_remote_code=True)
    rows, prompts = prompts_of(known, 3)
    x = known.layout.examples(rows)
    t = torch.full((3, 1), 0.4)
    out = model(x.tokens, attention_mask=x.valid.long(), t=t)
    hidden = known.model(x.tokens, x.valid, t)
    head = getattr(known.model, HEADS.get(name, "token_logits"))
    torch.testing.assert_close(out.last_hidden_state, hidden, atol=1e-6, rtol=0)
    logits = torch.stack([head(h) for h in hidden])
    assert logits.isneginf().any()  # special tokens are never predicted
    torch.testing.assert_close(out.logits, logits, atol=1e-6, rtol=0)
    width = max(map(len, prompts))
    padded = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    found = model.generate(padded, attention_mask=mask, generator=generator(1))
    assert torch.equal(found[:, :width], padded)
    expected = pretrained.load(tmp_path / f"star-{name}", known.run.package)
    answers = expected.sample(prompts, None, generator(1))
    pad = known.run.config.vocab.pad
    assert [[t for t in row if t != pad] for row in found[:, width:].tolist()] == answers
    if name == "gidd":
        with pytest.raises(ValueError, match="gidd is time-conditioned"):
            model(x.tokens)


def test_automodel_of_a_run(auto, exported):
    """From the files of `export`, tokenizer included; seeded by torch.manual_seed."""
    model = auto.AutoModel.from_pretrained(exported, trust_remote_code=True)
    tokenizer = auto.AutoTokenizer.from_pretrained(exported, trust_remote_code=True)
    own = pretrained.load(exported, package_of("mdlm"))
    for k, v in own.model.state_dict().items():
        assert torch.equal(model.model.state_dict()[k], v)
    text = " ".join(own.words.tokens[:4])
    prompt = tokenizer([text], return_tensors="pt")
    assert prompt["input_ids"].tolist() == [own.words.encode(text)]
    both = []
    for _ in range(2):
        torch.manual_seed(0)
        both.append(model.generate(**prompt, sampler="ancestral"))
    assert torch.equal(*both)
    assert tokenizer.decode(both[0][0], skip_special_tokens=True).startswith(text)


BPE = {
    "version": "1.0",
    "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
    "padding": None,
    "added_tokens": [
        {
            "id": 6,
            "content": "<pad>",
            **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
            "special": True,
        }
    ],
    "normalizer": None,
    "pre_tokenizer": {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "use_regex": True,
        "trim_offsets": True,
    },
    "post_processor": None,
    "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
    "model": {
        "type": "BPE",
        "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "Ġ": 4, "abc": 5, "<pad>": 6},
        "merges": [["a", "b"], ["ab", "c"]],
    },
}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (WordTokenizer(("1", "2", "->", "<pad>")), "1 -> 2 2"),
        (CharacterTokenizer("\n abc'"), "a b\n\nc' a"),
        (SubwordTokenizer(json.dumps(BPE)), "ab abc c"),
    ],
    ids=["words", "characters", "subwords"],
)
def test_tokenizers_agree(words, text, auto, tmp_path):
    """Ours, that of the exported folder, and that of transformers."""
    vocab = package_of("mdlm").Vocab(**words.vocabulary(("eos", "mask")))
    for name, content in tokenizer_files(words, vocab).items():
        (tmp_path / name).write_text(content)
    theirs = auto.AutoTokenizer.from_pretrained(tmp_path)
    own, ids = pretrained.Words(words.state), words.encode(text)
    assert own.encode(text) == theirs(text)["input_ids"] == ids
    assert own.decode([*ids, vocab.eos]) == words.decode(ids) == text
    assert theirs.decode([*ids, vocab.eos], skip_special_tokens=True) == text
    special = theirs.pad_token_id, theirs.bos_token_id, theirs.eos_token_id, theirs.mask_token_id
    assert special == (vocab.pad, vocab.bos, vocab.eos, vocab.mask)
