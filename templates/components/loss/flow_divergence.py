"""The divergence of the flow's rates: a token jumps to x_0 at a known rate.

Paper: arXiv:2412.03487 (Shaul et al., the generalised KL); arXiv:2407.15595 (Gat et al.)
Also known as: generalized_kl, generalised_kl, mixture_path_generalized_kl, dfm_loss
Differs:
    generalized_kl: its time runs from noise to data, and kappa' / (1 - kappa) is our rate
"""

from torch import Tensor

from ..ops import scatter
from ..types import Schedule, TokenPositions

MINIMISER = "posterior"


def flow_divergence(
    model, hidden: Tensor, target: TokenPositions, tokens: Tensor, t: Tensor, schedule: Schedule
) -> Tensor:
    """w ([x_t = x_0] - p(x_t) - [x_t != x_0] log p(x_0)) per position, (B, L).

    w = -alpha'(t) / (1 - alpha(t)) and p = p(x_0 | x_t): the divergence of the rates w [y = x_0]
    and w p(y) of jumps to each y other than x_t. Its bound of log p(x) is loose, and not reported.
    """
    row, col, clean = target
    now = tokens[row, col]
    log_p = model.token_logits(hidden[row, col]).log_softmax(-1)  # (N, V)
    at_now, at_clean = (log_p.gather(1, a[:, None])[:, 0] for a in (now, clean))
    nats = (now == clean) * 1.0 - at_now.exp() - at_clean.where(now != clean, 0.0)
    share = (1 - schedule.alpha(t)).clamp(min=1e-7)
    return -schedule.dalpha(t) / share * scatter(nats, row, col, hidden)
