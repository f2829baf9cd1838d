"""Specs drawn from the components: `check` answers each, and what it accepts works."""

import random
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from methods import checked, package, steps_and_samples
from random_files import copy_files
from random_specs import drawn, whole

from xlm_spec.cli import cli
from xlm_spec.diagnostics import Failed

pytestmark = pytest.mark.slow

STRAY = (0.0, 0.02, 0.1, 0.5)  # shares of choices that are made without regard to the rest


def test_each_is_accepted_or_told_what_is_wrong_and_where(tmp_path, request):
    rng, ends, codes = random.Random(0), {0: 0, 1: 0}, set()
    nowhere = []
    file = copy_files(tmp_path) / "spec.yaml"
    full = request.config.getoption("--full")
    for i in range(900 if full else 60):
        file.write_text(whole(drawn(rng, STRAY[i % len(STRAY)]), "method"), encoding="utf-8")
        done = CliRunner().invoke(cli, ["check", str(file)], catch_exceptions=False)
        ends[done.exit_code] += 1
        try:
            checked(file.read_text(encoding="utf-8"), file)
        except Failed as failed:
            codes |= {d.code for d in failed.diagnostics}
            nowhere += [d for d in failed.diagnostics if not d.span]
    assert not nowhere
    assert min(ends.values()) > (20 if full else 0)
    assert {c[:2] for c in codes} == {"X1", "X2", "X3"}
    assert len(codes) > (12 if full else 10)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_accepted_builds_steps_and_samples(seed, tmp_path, request):
    """30 of each seed with `--full`; `benchmarks.fuzz` tries thousands."""
    copy_files(tmp_path)
    count = 30 if request.config.getoption("--full") else 3
    for parts in accepted(random.Random(seed), count, tmp_path / "spec.yaml"):
        try:
            method = package(tmp_path, parts)
            steps_and_samples(method)
            with torch.device("meta"):  # the network of the spec itself; its weights hold nothing
                method.Model(method.Config(vocab=method.Config.small().vocab))
        except Exception as e:
            e.add_note(whole(parts, "method"))
            raise


def accepted(rng: random.Random, count: int, file: Path):
    """So many specs that `check` accepts, in the place of a file."""
    while count:
        parts = drawn(rng)
        try:
            checked(whole(parts, "method"), file)
        except Failed:
            continue
        count -= 1
        yield parts
