"""The law of `share_cross_entropy`: one distribution over all tokens and the end, for each gap."""

import torch
from torch import Tensor

from ..target.gap_shares_law import Shares


def nats(model, hidden: Tensor, targets: Shares) -> float:
    ends = torch.sigmoid(model.gap_end_logit(hidden).double())
    tokens = model.gap_token_logits(hidden).double().softmax(-1)
    p = torch.cat([(1 - ends)[:, None] * tokens, ends[:, None]], 1)  # the last one is the end
    wanted = [*targets.missing, *((gap, -1, 1.0) for gap in targets.empty)]
    return -sum(share * float(p[gap, v].log()) for gap, v, share in wanted)
