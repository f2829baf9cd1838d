"""Packages with one error each, like errors in published code; each breaks a law.

A mutant replaces a text in a file of a built package.
"""

from mutants import insertion, losses, models, noise, samplers
from mutants.mutant import SPECS, Mutant

MUTANTS = [m for part in (noise, losses, samplers, insertion, models) for m in part.MUTANTS]

__all__ = ["MUTANTS", "SPECS", "Mutant"]
