"""The embedding of x_0 at every free position.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples


class Vectors(NamedTuple):
    """The target vector at each of N positions."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    vector: Tensor  # (N, E)


def clean_vectors(x: Examples, clean_vector: Tensor) -> Vectors:
    """At each free position its embedding."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return Vectors(row, col, clean_vector[row, col])
