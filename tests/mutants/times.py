"""Errors of times that are not uniform."""

from mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "terms not divided by the density of the times",
        "importance",
        "objective",
        "(weight * cross_entropy(model, hidden, target) / p_t)",
        "(weight * cross_entropy(model, hidden, target))",
    ),
    Mutant(
        "density without its integral",
        "importance",
        "noise",
        "share**-exponent / (high - low)",
        "share**-exponent",
    ),
    Mutant(
        "density of another variable",
        "importance",
        "noise",
        "-schedule.dalpha(time) * (1 - exponent)",
        "(1 - exponent)",
    ),
    Mutant(
        "times of another density",
        "importance",
        "noise",
        "** (1 / (1 - exponent))",
        "** (1 + exponent)",
    ),
    Mutant(
        "bound over the times of training",
        "limits",
        "objective",
        "t = bound_time(x, rng, edge=config.noise.time.edge)",
        "t = sample_time(x, rng, least=config.noise.time.least, most=config.noise.time.most)",
    ),
    Mutant(
        "times up to the sum of the limits",
        "limits",
        "noise",
        "return least + (most - least) * spread(x, rng)",
        "return least + most * spread(x, rng)",
    ),
    Mutant(
        "times of the bound up to the middle",
        "limits",
        "noise",
        "return edge + (1 - 2 * edge) * spread(x, rng)",
        "return edge + (1 - 2 * edge) * spread(x, rng) / 2",
    ),
]
