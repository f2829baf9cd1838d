"""`export`: the folder loads with torch alone, by pip, and as a checkpoint."""

import json
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from exports import HEADS, export_of, minimal_export, prompts_of, untrained
from methods import ROOT
from package_runs import TINY, package_of, run

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.laws.package import import_package
from xlm_spec.runtime.evaluation.scoring import draw
from xlm_spec.runtime.publish import export
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.tasks.pairs import Columns
from xlm_spec.runtime.weights import checkpoint, pretrained, teacher
from xlm_spec.runtime.weights.load_model import load_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """The export of a run, in the folder `star`."""
    return export_of(trained, tmp_path_factory.mktemp("exports") / "star")


@pytest.fixture(scope="module")
def minimal(tmp_path_factory):
    """The export of a small random model."""
    return minimal_export(tmp_path_factory.mktemp("exports") / "minimal")


PACKAGES = sorted(p.name for p in (ROOT / "generated").iterdir() if p.is_dir())


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
    """Heads and types of a Levenshtein transformer, which are those of no shipped component."""
    spec = shutil.copytree(ROOT / "tests" / "families" / "levenshtein", tmp_path / "spec")
    package = import_package(build(spec / "levenshtein.yaml", tmp_path).folder, "levenshtein")
    require_same_samples(untrained(package, tmp_path / "out"), tmp_path / "out")
    assert head_of(tmp_path / "out") == "token_logits"
    assert (tmp_path / "out" / "model.py").read_text().count("wrong_logit") > 0


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


def test_no_prompts_have_no_answers(minimal):
    loaded = pretrained.load(minimal, package_of("mdlm"))
    assert loaded.generate([]) == []
    with pytest.raises(ValueError, match="no sampler `nothing`"):
        loaded.generate([], sampler="nothing")


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
