"""What `make lint` runs, runs here too."""

import os
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
def test_tool(command):
    tool, *words = command
    words += ["--cache-dir", os.devnull] if tool == "mypy" else []
    done = subprocess.run(
        [Path(sys.executable).parent / tool, *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
