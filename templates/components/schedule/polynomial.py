"""alpha(t) = 1 - t^power.

Paper: arXiv:2406.04329 (MD4, the polynomial schedule)
Also known as: poly, power, square (power: 2)
    power: exponent, degree, order, n, p
Differs:
    n, exponent: in flow matching's code the exponent of (1 - t)^n, here `flow_polynomial`; the
        `power` of `polynomial` is that of 1 - t^power
    polynomial: in flow matching's code it is (1 - t)^n, here `flow_polynomial`; this is 1 - t^power
    square_root, sqrt: 1 - sqrt(t) is not available: its rate is infinite at t = 0, so that a bound
        from t = 1e-5 on lacks 0.3 %; the nearest is `polynomial`, whose `power` starts at 1
"""

from dataclasses import dataclass

from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class PolynomialSchedule:
    """alpha(t) = 1 - t^power (MD4, arXiv:2406.04329)."""

    power: float = 2.0  # 1 is linear; in [1, 10]

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t**self.power

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.power * t ** (self.power - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return (1 - alpha) ** (1 / self.power)
