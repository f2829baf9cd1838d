"""`train.compile`: the backbone is one graph, with or without a mask, and computes the same."""

import pytest
import torch
from package_runs import package_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["mdlm", "mdlm_dit", "arlm"])
def test_a_backbone_compiles_to_one_graph(name):
    """The tracing of torch.compile, without a compiler of C++: only the mask is no part of it."""
    package = package_of(name)
    torch.manual_seed(0)
    backbone = package.Model(package.Config.small()).backbone.eval()
    tokens = torch.randint(0, 4, (2, 8))
    more = [torch.full((2, 1), 0.5)] if "dit" in name else []
    whole = torch.ones_like(tokens, dtype=torch.bool)
    padded = whole & (torch.arange(8) < 6)
    graphs: list = []

    def counted(graph, inputs):
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(backbone, backend=counted, fullgraph=name == "arlm")
    for valid in (whole, padded):
        before = backbone(tokens, valid, *more)
        found = compiled(tokens, valid, *more)
        assert torch.allclose(before[valid], found[valid], atol=1e-6)
        assert before.std() > 0
    assert len(graphs) == (1 if name == "arlm" else 2)
