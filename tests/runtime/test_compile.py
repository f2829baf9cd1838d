"""`train.compile`: the backbone is one graph, and computes the same."""

import pytest
import torch
from package_runs import package_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["mdlm", "mdlm_dit", "arlm"])
def test_a_backbone_compiles_without_a_break(name):
    """The tracing of torch.compile, without a compiler of C++."""
    package = package_of(name)
    torch.manual_seed(0)
    backbone = package.Model(package.Config.small()).backbone.eval()
    tokens = torch.randint(0, 4, (2, 8))
    given = [tokens, torch.ones_like(tokens, dtype=torch.bool)]
    given += [torch.full((2, 1), 0.5)] if "dit" in name else []
    before = backbone(*given)
    found = torch.compile(backbone, backend="eager", fullgraph=True)(*given)
    assert torch.allclose(before, found, atol=1e-6)
    assert before.std() > 0
