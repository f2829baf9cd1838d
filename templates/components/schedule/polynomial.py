"""alpha(t) = 1 - t^power.

Paper: arXiv:2406.04329 (MD4, the polynomial schedule)
Also known as: poly, power, quadratic (power: 2), square (power: 2), cubic (power: 3)
    power: exponent, degree, order, n, p
"""

from dataclasses import dataclass

from torch import Tensor


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
