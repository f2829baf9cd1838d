"""Errors of masked diffusion that also inserts, in the shipped spec."""

from mutants.mutant import Mutant

SPEC = "flexmdm"

MUTANTS = [
    Mutant(
        "mask drawn without the time of its drop",
        SPEC,
        "noise",
        "(v * (1 - schedule.alpha(r)) < 1 - schedule.alpha(t))",
        "(v < 1 - schedule.alpha(t))",
    ),
    Mutant(
        "a fixed token is dropped",
        SPEC,
        "noise",
        "dropped = free & (r < t)",
        "dropped = x.valid & (r < t)",
    ),
    Mutant(
        "model reads the tokens under the masks",
        SPEC,
        "noise",
        "compact(keep, tokens, x.tokens, masked, open_gaps(x))",
        "compact(keep, x.tokens, x.tokens, masked, open_gaps(x))",
    ),
    Mutant(
        "rate of insertions by the schedule of masks",
        SPEC,
        "noise",
        "return -drop_schedule.dalpha(t) / share",
        "return -1.1 * drop_schedule.dalpha(t) / share",
    ),
    Mutant(
        "missing tokens in the gap before theirs",
        SPEC,
        "target",
        "gap.clamp(min=0)",
        "(gap - 1).clamp(min=0)",
    ),
    Mutant(
        "whether a token is missing, not how many",
        SPEC,
        "target",
        "GapCounts(count / p, open, p)",
        "GapCounts(count.clamp(max=1) / p, open, p)",
    ),
    Mutant(
        "Bregman constant in place of the Poisson one",
        SPEC,
        "ops",
        "m - n - torch.xlogy(n, m)",
        "m - n - torch.xlogy(n, m) + torch.xlogy(n, n)",
    ),
    Mutant(
        "number of missing tokens without its unit",
        SPEC,
        "ops",
        "m, n = share * head(hidden[row, col]), share * number[row, col]",
        "m, n = share * head(hidden[row, col]), number[row, col]",
    ),
    Mutant(
        "frozen rate integrated until t = 0",
        SPEC,
        "sampler",
        "(drop_schedule.alpha(s) - drop_schedule.alpha(t)) * (s > 0)",
        "(drop_schedule.alpha(t) - 1) * (s / t).log().clamp(min=-9)",
    ),
    Mutant(
        "masks inserted in the last step",
        SPEC,
        "sampler",
        "(drop_schedule.alpha(s) - drop_schedule.alpha(t)) * (s > 0)",
        "(drop_schedule.alpha(s) - drop_schedule.alpha(t) + 0.01)",
    ),
    Mutant(
        "insertion behind the token before",
        SPEC,
        "sampler",
        "insert(scatter(number, row, col, tokens), state.valid)",
        "insert(scatter(number, row, (col - 1).clamp(min=0), tokens), state.valid)",
    ),
    Mutant(
        "masks unmasked at the rate at t = 1",
        SPEC,
        "sampler",
        "1 - (1 - schedule.alpha(s)) / corrupted.clamp(min=torch.finfo(t.dtype).tiny)",
        "(schedule.alpha(s) - schedule.alpha(t)).clamp(min=s == 0)",
    ),
]
