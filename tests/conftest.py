"""Tests run on one thread each; packages that they build share the data cache of the session."""

import os
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from bad_specs import bad_specs
from package_runs import TINY, run

torch.set_num_threads(1)
HOME = tempfile.TemporaryDirectory(prefix="xlm-spec-home-")  # the suite leaves the user's alone
os.environ["HOME"] = HOME.name
WHO = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
os.environ |= {f"GIT_{who}": "n@x" for who in WHO}  # their git knows nobody


@pytest.fixture(scope="session", autouse=True)
def data_cache(tmp_path_factory):
    """The suite leaves the user's cache alone."""
    if "XLM_SPEC_CACHE" not in os.environ:
        folder = tmp_path_factory.getbasetemp().parent / "xlm-spec-cache"
        os.environ["XLM_SPEC_CACHE"] = str(folder)


@pytest.fixture(autouse=True)
def seeded():
    """Each test draws the same weights, in any order of tests."""
    torch.manual_seed(0)


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="write the outputs on pages anew")
    parser.addoption("--full", action="store_true", help="all cases of tests that take a share")


def pytest_configure(config):
    if config.getoption("--rewrite") and hasattr(config, "workerinput"):
        raise pytest.UsageError("--rewrite writes files that workers share: leave -n out")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from scheduling import Scheduling

    return Scheduling(config, log)


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        from scheduling import slow_first

        slow_first(items)
    if not config.getoption("--full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs CUDA"))


@pytest.fixture(scope="session")
def bad_files(tmp_path_factory):
    """Every spec of tests/bad as a file."""
    folder = tmp_path_factory.mktemp("bad")
    return [case.write(folder) for case in bad_specs()]


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def trained(place):
    """A run of 40 steps, with dropout, validated every 8."""
    folder = place / "trained"
    sets = ["--set", "train.evaluate_every=8", "--set", "backbone.dropout=0.1"]
    done = run("mdlm", "train", *TINY, *sets, "--steps", 40, "--run", folder)
    assert done.stdout.strip() == str(folder)
    assert "step 40" in done.stderr
    assert "\r" not in done.stderr  # plain lines where there is no terminal
    return folder
