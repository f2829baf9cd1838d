"""What `make lint` runs, runs here too."""

import subprocess
import sys
from pathlib import Path

import pytest
from methods import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["mypy"],
    ],
    ids=" ".join,
)
def test_tool(command, tmp_path):
    tool, *words = command
    words += ["--cache-dir", str(tmp_path)] if tool == "mypy" else []
    done = subprocess.run(
        [Path(sys.executable).parent / tool, *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
