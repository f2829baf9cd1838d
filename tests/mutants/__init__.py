"""Packages with one error each, like errors in published code; each breaks a law.

A mutant replaces a text in a file of a built package.
"""

from mutants import (
    decoding,
    edits,
    flexmdm,
    gap_shares,
    growing,
    insertion,
    losses,
    models,
    noise,
    parameterisation,
    renoise,
    samplers,
    substitution,
    times,
)
from mutants.mutant import REPLACING, SHIPPED, SPECS, Mutant

PARTS = (
    *(noise, losses, samplers, insertion, flexmdm, edits, gap_shares, models, substitution),
    *(decoding, growing, times, parameterisation, renoise),
)
MUTANTS = [m for part in PARTS for m in part.MUTANTS]

__all__ = ["MUTANTS", "REPLACING", "SHIPPED", "SPECS", "Mutant"]
