"""Types that custom files import from files beside them: written once, or refused."""

import subprocess
import sys

import pytest
from methods import ROOT, package, steps_and_samples, text

from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.diagnostics import Failed

TYPES = '''"""Types."""

from typing import NamedTuple

from torch import Tensor

from ..types import Vocab


class Seen(NamedTuple):
    """Positions and their tokens."""

    row: Tensor
    col: Tensor
    token: Tensor


class Unused(NamedTuple):
    """Nothing needs it."""

    vocab: Vocab
'''
TARGET = '''"""Masked tokens."""

from torch import Tensor

from .seen import Seen


def hidden_tokens(clean: Tensor, masked: Tensor) -> Seen:
    """Each masked token."""
    row, col = masked.nonzero(as_tuple=True)
    return Seen(row, col, clean[row, col])
'''
LOSS = '''"""Cross-entropy."""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from .seen import Seen


def sums(model, hidden: Tensor, target: Seen) -> Tensor:
    """(B, L)."""
    logits = model.token_logits(hidden[target.row, target.col])
    found = F.cross_entropy(logits, target.token, reduction="none")
    return scatter(found, target.row, target.col, hidden)
'''
SEEN = TYPES[TYPES.index("class Seen") : TYPES.index("class Unused")]
CHOSEN = {"target": "./hidden_tokens.py", "loss": "./sums.py"}


def spec(folder, types=TYPES, target=TARGET, loss=LOSS):
    for name, source in {"seen": types, "hidden_tokens": target, "sums": loss}.items():
        if source:
            (folder / f"{name}.py").write_text(source)
    (folder / "spec.yaml").write_text(text(**CHOSEN))
    return folder / "spec.yaml"


def refused(file) -> list[str]:
    """`code file:line: message; hint` of each diagnostic."""
    with pytest.raises(Failed) as failed:
        checked(file)
    found = failed.value.diagnostics
    return [
        f"{d.code} {d.file.rpartition('/')[2]}:{d.span.line + 1}: {d.message}; {d.hint}"
        for d in found
    ]


def test_a_file_of_types_is_shared(tmp_path):
    spec(tmp_path)
    made = package(tmp_path, **CHOSEN)
    steps_and_samples(made)
    plan = plan_of(tmp_path / "spec.yaml")
    assert [f["path"] for f in plan.own] == ["hidden_tokens.py", "seen.py", "sums.py"]
    [types] = [m for m in plan.modules if m.name == "types"]
    assert "types/seen/Seen" in types.parts
    assert "types/seen/Unused" not in types.parts
    assert ".types" not in types.imports


def test_types_that_a_shared_type_needs_come_before_it(tmp_path):
    """Of its own file, of the package, and of another file of types."""
    types = TYPES.replace(
        "    token: Tensor\n", "    token: Tensor\n    more: Unused\n    last: Last\n"
    )
    types = types.replace("import Vocab\n", "import Vocab\nfrom .last import Last\n")
    start, end = types.index("class Seen"), types.index("class Unused")
    types = types[:start] + types[end:].rstrip() + "\n\n\n" + types[start:end].rstrip() + "\n"
    last = '"""More."""\n\nfrom dataclasses import dataclass\n\nfrom torch import Tensor\n\n\n'
    last += '@dataclass\nclass Last:\n    """The last one."""\n\n    token: Tensor\n'
    (tmp_path / "last.py").write_text(last)
    target = TARGET.replace("clean[row, col])", "clean[row, col], None, None)")
    spec(tmp_path, types=types, target=target)
    steps_and_samples(package(tmp_path, **CHOSEN))
    [made] = [m for m in plan_of(tmp_path / "spec.yaml").modules if m.name == "types"]
    own = [p for p in made.parts if p.startswith("types/")]
    assert own == ["types/last/Last", "types/seen/Unused", "types/seen/Seen"]
    assert "shared/types/Vocab" in made.parts


def test_a_loss_imports_the_type_of_a_target(tmp_path):
    target = TARGET.replace("from .seen import Seen\n", "").replace(
        "from torch", "from typing import NamedTuple\n\nfrom torch"
    )
    target = target.replace("def hidden_tokens", f"{SEEN}def hidden_tokens")
    spec(tmp_path, None, target, LOSS.replace(".seen", ".hidden_tokens"))
    made = package(tmp_path, **CHOSEN)
    steps_and_samples(made)
    assert [f["path"] for f in plan_of(tmp_path / "spec.yaml").own] == [
        "hidden_tokens.py",
        "sums.py",
    ]


CODE = TYPES + "\n\ndef f(): ...\n"
STATE = [source.replace("Seen", "State") for source in (TYPES, TARGET, LOSS)]
NAMED = "from typing import NamedTuple\n\nimport torch.nn"
TWICE = LOSS.replace("def sums", f"{SEEN}def sums").replace("import torch.nn", NAMED)


@pytest.mark.parametrize("absolute", [False, True])
def test_files_in_another_folder(absolute, tmp_path):
    """The types are in the package; only files beside the spec are copied."""
    (tmp_path / "parts").mkdir()
    spec(tmp_path / "parts")
    start = tmp_path / "parts" if absolute else "./parts"
    (tmp_path / "spec.yaml").write_text(
        text(target=f"{start}/hidden_tokens.py", loss=f"{start}/sums.py")
    )
    plan = plan_of(tmp_path / "spec.yaml")
    assert "types/seen/Seen" in plan.parts
    assert plan.own == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"types": CODE}, "X111 seen.py:24: a file that the spec does not name can contain only"),
        ({"types": TYPES + "\n\nSIZE = 3\n"}, "X111 seen.py:24: a file that the spec does not"),
        ({"types": TYPES + "\n\nprint(1)\n"}, "X111 seen.py:24: a file that the spec does not"),
        (
            {"types": TYPES.replace("from ..types", "from ..ops")},
            "X113 seen.py:7: a package has no module `..ops`; allowed: ..types",
        ),
        (
            {"types": TYPES.replace("from ..types import Vocab", "import numpy")},
            "X113 seen.py:7: a package cannot import `numpy`",
        ),
        (
            {"types": TYPES.replace("    row: Tensor", "    row: Tenser")},
            "X115 seen.py:13: name `Tenser` is not defined",
        ),
        (
            {"types": TYPES.replace("class Seen(", "class Seen((")},
            "X110 seen.py:10: invalid Python",
        ),
        (
            {"loss": LOSS.replace(".seen import", ".seem import")},
            "X113 sums.py:7: a package has no module `.seem`: there is no `seem.py` beside this"
            " file; did you mean `.seen`? allowed: .hidden_tokens, .seen",
        ),
        (
            {"loss": LOSS.replace("import Seen", "import Sene")},
            "X113 sums.py:7: `seen.py` does not define `Sene`; did you mean `Seen`?",
        ),
        (
            {"loss": LOSS.replace("import Seen", "import Seen as S")},
            "X113 sums.py:7: `Seen` must be imported by its name",
        ),
        (
            {"loss": LOSS.replace(".seen import", ". import")},
            "X113 sums.py:7: a package has no module `.`; write `from .file import Type`",
        ),
        (
            {"loss": LOSS.replace(".seen import Seen", ".types import State")},
            "X113 sums.py:7: a package has no module `.types`; write `..types`",
        ),
        (
            {"loss": LOSS.replace(".seen import Seen", ".hidden_tokens import hidden_tokens")},
            "X113 sums.py:7: `hidden_tokens` of `hidden_tokens.py` is not a type",
        ),
        (
            {"types": TYPES.replace("Seen", "State"), "target": TARGET.replace("Seen", "State")},
            "X113 sums.py:7: `seen.py` does not define `Seen`",
        ),
        (
            {"types": STATE[0], "target": STATE[1], "loss": STATE[2]},
            "X114 seen.py:10: name `State` is already used by the package's types.py",
        ),
        (
            {"loss": TWICE},
            "X113 sums.py:9: `Seen` is also defined in this file; remove it here",
        ),
    ],
)
def test_what_is_wrong(given, message, tmp_path):
    [found] = refused(spec(tmp_path, **given))
    assert found.startswith(message)


def test_files_that_import_each_other(tmp_path):
    loss = LOSS.replace(
        "def sums", 'class A(NamedTuple):\n    """A."""\n\n    a: int\n\n\ndef sums'
    )
    loss = loss.replace(".seen", ".hidden_tokens").replace(
        "import torch.nn", "from typing import NamedTuple\n\nimport torch.nn"
    )
    target = TARGET.replace("from .seen import Seen\n", "from .sums import A\n")
    target = target.replace("def hidden_tokens", f"{SEEN}def hidden_tokens").replace(
        "from torch", "from typing import NamedTuple\n\nfrom torch"
    )
    [found] = refused(spec(tmp_path, None, target, loss))
    assert found.startswith("X113 sums.py:")
    assert "`sums.py` and `hidden_tokens.py` import each other; move the types" in found


def test_files_of_types_that_import_each_other(tmp_path):
    """One error, although two components import one of them."""
    imported = "from ..types import Vocab", "from .other import Other"
    types = TYPES.replace(*imported).replace("Vocab", "Other")
    other = types.replace("Other", "Later").replace("Seen", "Other").replace("Later", "Seen")
    (tmp_path / "other.py").write_text(other.replace(".other", ".seen"))
    [found] = refused(spec(tmp_path, types))
    assert found.startswith("X113 other.py:7: `other.py` and `seen.py` import each other")


def test_a_type_that_needs_a_function(tmp_path):
    """Of the file of a component."""
    target = TARGET.replace("from .seen import Seen\n", "").replace(
        "from torch", "from typing import NamedTuple\n\nfrom torch"
    )
    own = (
        SEEN.rstrip()
        + "\n\n    def twice(self):\n        return hidden_tokens(self.row, self.col)\n\n\n"
    )
    target = target.replace("def hidden_tokens", f"{own}def hidden_tokens")
    [found] = refused(spec(tmp_path, None, target, LOSS.replace(".seen", ".hidden_tokens")))
    assert found.startswith(
        "X113 sums.py:7: type `Seen` of `hidden_tokens.py` uses `hidden_tokens`"
    )


def test_a_name_in_one_file_of_the_package(tmp_path):
    """Another loss defines the name that this one imports."""
    other = LOSS.replace("from .seen import Seen\n", "").replace("Seen", "TokenPositions")
    other = other.replace(
        "from ..ops import scatter", "from ..ops import scatter\nfrom ..types import TokenPositions"
    )
    other = other.replace("sums(model", "plain(model") + '\n\nclass Seen:\n    """Another."""\n'
    spec(tmp_path)
    (tmp_path / "plain.py").write_text(other)
    (tmp_path / "spec.yaml").write_text(
        text(target="[./hidden_tokens.py, masked_tokens]", loss="[./sums.py, ./plain.py]")
    )
    [found] = refused(tmp_path / "spec.yaml")
    assert "name `Seen` in `plain.py` is already used by an import of loss `sums`" in found


def test_the_card_of_a_file_that_imports_types(tmp_path):
    spec(tmp_path)
    command = [sys.executable, "-m", "xlm_spec", "axes", "loss", str(tmp_path / "sums.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Cross-entropy" in done.stdout
