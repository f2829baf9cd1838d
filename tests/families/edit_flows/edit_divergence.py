"""The divergence of the rates of all edits from those of the edits that remain.

Paper: arXiv:2506.09018 (Edit Flows)
"""

import torch
from torch import Tensor

from ..ops import scatter
from ..types import GapTokens, Schedule

ELBO_TERM = True


def edit_divergence(
    model,
    hidden: Tensor,
    target: GapTokens,
    free: Tensor,
    wrong: Tensor,
    other: Tensor,
    substitute: Tensor,
    t: Tensor,
    schedule: Schedule,
) -> Tensor:
    """sum of rates - sum over remaining edits of (1 + log rate q(token)), (B, W).

    In units of the rate of a remaining edit, -alpha'(t) / (1 - alpha(t)). A rate is 1 - alpha(t)
    times the head: O(t), so that the weighted sum is finite at t = 0.
    """
    share = (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
    rates = share[..., None] * model.edit_rates(hidden)  # (B, W, 3): insert, delete, substitute
    nats = (rates * torch.stack([target.open, free, free], -1)).sum(-1)
    nats = nats - wrong * (1 + rates[..., 1].log())
    where = other.nonzero(as_tuple=True)
    for kind, head, row, col, token in (
        (0, model.gap_token_logits, target.row, target.col, target.token),
        (2, model.token_logits, *where, substitute[where]),
    ):
        log_q = head(hidden[row, col]).log_softmax(-1).gather(1, token[:, None])[:, 0]
        nats = nats - scatter(1 + rates[row, col, kind].log() + log_q, row, col, hidden)
    return nats
