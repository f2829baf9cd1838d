"""Tests run on one thread each; packages that they build share the data cache of the session."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def data_cache(tmp_path_factory):
    """The suite leaves the user's cache alone."""
    if "XLM_SPEC_CACHE" not in os.environ:
        folder = tmp_path_factory.getbasetemp().parent / "xlm-spec-cache"
        os.environ["XLM_SPEC_CACHE"] = str(folder)


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="write the messages of tests/bad anew")
