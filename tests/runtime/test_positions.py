"""A process or a sampler whose sequences are longer than the learned positions of the backbone."""

import re

import pytest
import torch
from methods import MASKED, PLAIN, text
from package_runs import run_package
from torch import nn

from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import COMPONENTS
from xlm_spec.diagnostics import Failed
from xlm_spec.laws.package import import_package
from xlm_spec.runtime.config.positions import guard, is_limit

pytestmark = pytest.mark.slow

LENGTH = 27  # positions of a sequence of star_mini
CPU = 32  # positions of size cpu
SMALL = ["--set", "backbone.layers=1", "--set", "train.sample_examples=4"]


def component(folder, axis, kind, name, *changes):
    source = (COMPONENTS / axis / f"{kind}.py").read_text()
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    (folder / f"{name}.py").write_text(source)


TWICE = '''

def twice(z: Noised) -> Noised:
    """Padded to 2L positions."""
    return Noised(*(F.pad(a, (0, a.shape[1])) for a in z))
'''


def doubled(folder):
    """A process that gives the model 2L positions; the second half is padding."""
    component(
        folder,
        "process",
        "mask",
        "doubled",
        (
            "from torch import Tensor\n",
            "import torch.nn.functional as F\nfrom torch import Tensor\n",
        ),
        ("return Noised(", "return twice(Noised("),
        ("corrupted, read_positions(x))", "corrupted, read_positions(x)))"),
    )
    with (folder / "doubled.py").open("a") as file:
        file.write(TWICE)
    return MASKED, {"noise": "{process: ./doubled.py, schedule: linear}"}


def growing(folder):
    """A sampler whose state is one position longer after each step."""
    component(
        folder,
        "sampler",
        "ancestral",
        "growing",
        ("import torch\n", "import torch\nimport torch.nn.functional as F\n"),
        (
            "    fires = (schedule",
            "    state = State(*(F.pad(a, (0, 1)) for a in state))\n    fires = (schedule",
        ),
    )
    return MASKED, {"sampler": "{kind: ./growing.py, steps: 12}"}


def caching(folder):
    """A sampler whose cache, of which the model is not called, has 2L positions."""
    component(
        folder,
        "sampler",
        "autoregressive",
        "caching",
        ("import torch\n", "import torch\nimport torch.nn.functional as F\n"),
        (
            "    return CachedPrefix(",
            "    state = Prefix(*(F.pad(a, (0, a.shape[1])) for a in state))\n"
            "    return CachedPrefix(",
        ),
    )
    return PLAIN, {"sampler": "./caching.py"}


MAKING = {
    doubled: ("the objective", 2 * LENGTH),
    growing: ("sampler `growing`", None),
    caching: ("sampler `caching`", 2 * LENGTH),
}


@pytest.fixture(params=MAKING, ids=lambda f: f.__name__)
def method(request, tmp_path):
    """(folder of the package, what gives the model a long sequence, its positions)"""
    base, changes = request.param(tmp_path)
    file = tmp_path / "method.yaml"
    file.write_text(text(base, **changes))
    return build(file, tmp_path).folder, *MAKING[request.param]


def python(folder, command, *words):
    """`python -m method COMMAND`, in this process."""
    return run_package(import_package(folder, "method"), command, *words, check=False)


def train(folder, *sets, steps=2):
    words = [w for s in sets for w in ("--set", s)]
    task = ["--task", "star_mini", "--size", "cpu", "--steps", steps, "--run", folder / "run"]
    return python(folder, "train", *task, *SMALL, *words)


def width_of(done, source) -> int:
    """The width in the only diagnostic."""
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert "Traceback" not in done.stderr
    pattern = rf"error\[X616\]: {source}.* (\d+) positions, but backbone.positions is {CPU}\n"
    found = re.search(pattern, done.stderr)
    assert found, done.stderr
    assert f"train with backbone.positions={found[1]} or more" in done.stderr
    assert "backbone.positions=0" in done.stderr
    return int(found[1])


def test_training_stops_before_its_first_step(method):
    folder, source, needed = method
    width = width_of(train(folder), source)
    assert width == needed or (needed is None and width > CPU)
    assert not (folder / "run").exists()
    done = train(folder, f"backbone.positions={width}")
    assert done.returncode == 0, done.stderr
    done = python(folder, "generate", "--run", folder / "run")
    assert done.returncode == 0, done.stderr


def test_control_no_learned_positions(method):
    folder, *_ = method
    done = train(folder, "backbone.positions=0")
    assert done.returncode == 0, done.stderr
    for command in ("eval", "generate"):
        done = python(folder, command, "--run", folder / "run")
        assert done.returncode == 0, done.stderr


def test_sampling_and_evaluation(tmp_path):
    """A sampler that training does not run: it is in the package, and is not the default."""
    growing(tmp_path)
    file = tmp_path / "method.yaml"
    sampler = "{short: {kind: ancestral, steps: 4}, long: {kind: ./growing.py, steps: 12}}"
    file.write_text(text(sampler=sampler))
    folder = build(file, tmp_path).folder
    done = train(folder)
    assert done.returncode == 0, done.stderr
    for command in ("eval", "generate"):
        assert python(folder, command, "--run", folder / "run").returncode == 0
        done = python(folder, command, "--run", folder / "run", "--sampler", "long")
        assert width_of(done, "the model is given") == CPU + 1


def test_without_samples_training_does_not_try_the_sampler(tmp_path):
    base, changes = growing(tmp_path)
    file = tmp_path / "method.yaml"
    file.write_text(text(base, **changes))
    done = train(build(file, tmp_path).folder, "train.sample_examples=0")
    assert done.returncode == 0, done.stderr


class Relative(nn.Module):
    """A model whose `positions` limit nothing: distances are clipped."""

    def __init__(self, positions):
        super().__init__()
        self.distance = nn.Embedding(positions, 1)

    def forward(self, tokens, valid, t=None):
        index = torch.arange(tokens.shape[1]).clamp(max=self.distance.num_embeddings - 1)
        return self.distance(index)


class Absolute(Relative):
    def forward(self, tokens, valid, t=None):
        return self.distance(torch.arange(tokens.shape[1]))


def test_only_a_model_that_fails_has_a_limit():
    assert is_limit(Absolute(4), 4)
    assert not is_limit(Relative(4), 4)
    assert not is_limit(Relative(4), 0)
    assert not is_limit(Absolute(4), 0)


@pytest.mark.parametrize("keyword", [False, True])
def test_the_guard_raises_above_the_limit_only(keyword):
    model = Absolute(4)
    guard(model, 4)
    for width in (1, 4):
        tokens = torch.zeros(2, width, dtype=torch.long)
        assert (
            len(model(tokens=tokens, valid=tokens) if keyword else model(tokens, tokens)) == width
        )
    tokens = torch.zeros(2, 5, dtype=torch.long)
    with pytest.raises(Failed) as failed:
        model(tokens=tokens, valid=tokens) if keyword else model(tokens, tokens)
    assert [d.code for d in failed.value.diagnostics] == ["X616"]
