"""The model card of an export, and the code and the command that it shows."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from argparse import Namespace

import pytest
from exports import export_of, minimal_export
from methods import ROOT
from package_runs import package_of

from xlm_spec.runtime.publish import model_card
from xlm_spec.runtime.publish.model_card import laws
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
