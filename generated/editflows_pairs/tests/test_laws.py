"""The laws of editflows_pairs, if xlm_spec.laws is installed: pip install 'xlm-spec[laws]'."""

from pathlib import Path

import pytest

laws = pytest.importorskip("xlm_spec.laws")
METHOD = laws.load_package(Path(__file__).parent.parent)


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.name)
def test_law(law):
    results = laws.check_law(METHOD, law)
    if not any(r.figure for r in results):
        pytest.skip(results[0].why)
    assert not any(r.broken for r in results), "\n".join(r.line() for r in results)


def test_every_component_has_a_law():
    if missing := METHOD.without_law():
        pytest.skip("; ".join(missing))
