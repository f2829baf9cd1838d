"""Real numbers of `Noised` that follow from the time, from what is corrupted, or from neither."""

import pytest
import torch
from methods import GROWN, package
from shipped_components import shipped

from xlm_spec.laws import load_package, pinning
from xlm_spec.laws.corruptions import states_of
from xlm_spec.laws.state_fields import kinds, whole
from xlm_spec.laws.states import no_fixed_states

LEFT = "1 / (1 + dropped.sum(1, keepdim=True))"
BOTH = f"dropped_p * {LEFT}"
DRAWN = "torch.rand(len(keep), 1)"
LOSS = '''"""The counts, times a number of the corrupted sequence."""

from torch import Tensor

from ..ops import rate_divergence
from ..types import GapCounts

AUXILIARY = True


def share_loss(model, hidden: Tensor, target: GapCounts, share: Tensor) -> Tensor:
    """(B, L)."""
    return share * rate_divergence(model.gap_count, hidden, *target)
'''


def loaded(folder, share: str):
    """A method whose `Noised` has a further field, which a loss reads."""
    source = shipped("process", "independent_drop", "counted_drop")
    field = "    dropped_p: Tensor  # (B, 1) P(a token is dropped at t)\n"
    assert field in source
    source = source.replace(field, f"{field}    share: Tensor  # (B, 1)\n")
    source = source.replace("- 1, dropped_p)", f"- 1, dropped_p, {share})")
    source = source.replace("zip(z[:-1], noised(x, z.dropped, z.dropped_p)[:-1]", SAME)
    (folder / "counted_drop.py").write_text(source)
    (folder / "share_loss.py").write_text(LOSS)
    loss = GROWN["loss"].replace("]", ", ./share_loss.py]")
    made = package(folder, GROWN, noise="{process: ./counted_drop.py}", loss=loss)
    return load_package(folder / made.__name__)


SAME = "zip(z[:-2], noised(x, z.dropped, z.dropped_p)[:-2]"


@pytest.mark.parametrize(
    ("share", "kind", "why"),
    [
        ("dropped_p**2", "of time", ""),
        (LEFT, "of state", ""),
        (BOTH, "of both", "depends on what is corrupted and on the time"),
        (DRAWN, "of chance", "is a random real number"),
    ],
    ids=["time", "state", "both", "random"],
)
def test_what_a_real_number_follows_from(share, kind, why, tmp_path):
    m = loaded(tmp_path, share)
    assert kinds(m) == {"dropped_p": "of time", "share": kind}
    assert why in no_fixed_states(m)
    assert bool(why) == bool(no_fixed_states(m))


def test_a_number_that_follows_from_the_state_stays_with_it(tmp_path, monkeypatch):
    """In the objective at any time. The control: it is drawn anew, with the state in its place."""
    m = loaded(tmp_path, LEFT)
    found = states_of(m, m.toy_distribution())
    right = 1 / (1 + found.z.dropped.sum(1, keepdim=True))
    t = torch.full((len(found.x.tokens), 1), 0.6)

    def share() -> torch.Tensor:
        with pinning.pinned(m, found.z, 0.6):
            corrupt = m.part("objective").corrupt
            z = corrupt(found.x, t, m.schedule, torch.Generator().manual_seed(1))
        assert (z.dropped_p - 0.6).abs().max() < 1e-6
        return z.share

    assert torch.equal(share(), right)
    monkeypatch.setattr(pinning, "settled", lambda m, z: whole(z))
    assert not torch.equal(share(), right)
