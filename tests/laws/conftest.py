"""Most tests of laws train no model: these laws take seconds for each package."""

import pytest

from xlm_spec.laws import law, network_laws

TRAINING = [each for each in law.LAWS if each.measure.__module__ == network_laws.__name__]


@pytest.fixture(autouse=True)
def training(request):
    """Tests with the marker `training` test the laws of trained models, others do not."""
    if request.node.get_closest_marker("training"):
        yield
        return
    every = [*law.LAWS]
    law.LAWS[:] = [each for each in every if each not in TRAINING]
    try:
        yield
    finally:
        law.LAWS[:] = every
