"""alpha(t) = (1 - t)^n: flow matching's kappa, t^n on data time.

Paper: arXiv:2407.15595 (Gat et al., the polynomial scheduler)
Also known as: quadratic (flow_power: 2), cubic (flow_power: 3), polynomial_convex, kappa
    flow_power: n, exponent
Differs:
    quadratic, cubic, kappa: of flow matching, kappa(t) = t^n with the data at t = 1; 1 - t^n is
        `polynomial`: with n = 3 at t = 0.5 that is .875, this one .125
"""

from dataclasses import dataclass

from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class FlowPolynomialSchedule:
    """alpha(t) = (1 - t)^n (Gat et al., arXiv:2407.15595, kappa(t) = t^n on data time)."""

    flow_power: float = 2.0  # n; 1 is linear; in [1, 10]

    def alpha(self, t: Tensor) -> Tensor:
        return (1 - t) ** self.flow_power

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.flow_power * (1 - t) ** (self.flow_power - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return 1 - alpha ** (1 / self.flow_power)
