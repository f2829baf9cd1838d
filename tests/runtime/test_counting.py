"""The number of function evaluations of a sampler; calls of heads do not count."""

import pytest
import torch
from methods import PLAIN, package
from shipped_components import shipped

from xlm_spec.runtime.evaluation.scoring import CallCounter

VALUE = '''
    def value(self, t: Tensor, hidden: Tensor) -> Tensor:
        """A head in the backbone."""
        return t * self.norm(hidden)

    def again(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """A whole pass."""
        return self.forward(tokens, valid)
'''


@pytest.fixture(scope="module")
def method(tmp_path_factory):
    """With a method of the backbone that is a head, and one that is a pass."""
    folder = tmp_path_factory.mktemp("counting")
    (folder / "net.py").write_text(shipped("backbone", "rotary", "") + VALUE)
    loss = shipped("loss", "cross_entropy", "valued").replace(
        "model.token_logits", "(model.value(1.0, hidden), model.again, model.token_logits)[-1]"
    )
    (folder / "valued.py").write_text(loss)
    return package(folder, PLAIN, loss="./valued.py", backbone="./net.py")


@pytest.fixture
def counted(method):
    torch.manual_seed(0)
    return CallCounter(method.Model(method.Config.small()).eval())


TOKENS = torch.zeros(3, 5, dtype=torch.long)
VALID = torch.ones(3, 5, dtype=torch.bool)


def test_calls_and_complete_evaluations_count(counted):
    hidden = counted(TOKENS, VALID)
    assert (counted.calls, counted.rows) == (1, 3)
    assert torch.equal(counted.again(tokens=TOKENS, valid=VALID), hidden)
    assert (counted.calls, counted.rows) == (2, 6)
    assert torch.equal(counted.backbone(TOKENS[:2], VALID[:2]), hidden[:2])
    assert (counted.calls, counted.rows) == (3, 8)
    counted.backbone.again(TOKENS, VALID)
    assert (counted.calls, counted.rows) == (4, 11)


def test_heads_do_not_count(counted):
    hidden = counted(TOKENS, VALID)
    for _ in range(2):
        counted.value(2.0, hidden)
        counted.backbone.value(2.0, hidden)
        counted.token_logits(hidden)
        assert not counted.training
        counted.eval()
        list(counted.parameters())
    assert (counted.calls, counted.rows) == (1, 3)


@torch.no_grad()
def test_evaluations_with_a_cache_count(counted):
    """As the sampler calls them: one that fills the cache, then one a token."""
    cache = counted.open_cache(TOKENS, VALID)
    assert counted.calls == 1
    for place in (3, 4):
        counted.extend_cache(TOKENS, torch.full((3,), place), cache)
    assert (counted.calls, counted.rows) == (3, 9)
