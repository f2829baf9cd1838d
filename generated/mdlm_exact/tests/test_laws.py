"""What holds for mdlm_exact before it is trained, on a world small enough to enumerate."""

import json
from pathlib import Path

import pytest
import torch

import mdlm_exact

from .verify import LAWS, Method, judged

ANSWERS = Path(__file__).parent.parent / ".copier-answers.yml"
PLAN = json.loads(ANSWERS.read_text(encoding="utf-8").partition("\n")[2])["ir"]
METHOD = Method(mdlm_exact, PLAN)
torch.set_num_threads(1)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_law(law):
    """Within its bound, and its control is not. A law that warns may be broken on purpose."""
    results = judged(METHOD, law)
    if any(r.status == "n/a" for r in results):
        pytest.skip(results[0].why)
    told = "\n".join(r.line() for r in results)
    assert all(r.status in ("held", "warned") for r in results), told
