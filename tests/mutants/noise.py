"""Errors of schedules, times and corruption."""

from mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "reversed schedule",
        "masked",
        "noise",
        "return 1 - (1 - self.eps) * t",
        "return self.eps + (1 - self.eps) * t",
    ),
    Mutant(
        "eps in the wrong place",
        "eps",
        "noise",
        "return 1 - (1 - self.eps) * t",
        "return (1 - self.eps) * (1 - t)",
    ),
    Mutant(
        "derivative of another schedule",
        "cosine",
        "noise",
        "-math.pi / 2 * torch.cos(math.pi / 2 * t)",
        "-torch.ones_like(t)",
    ),
    Mutant(
        "inverse of another schedule",
        "masked",
        "noise",
        "((1 - alpha) / (1 - self.eps))",
        "((1 - alpha**2) / (1 - self.eps))",
    ),
    Mutant(
        "times concentrated near the data",
        "masked",
        "noise",
        "return edge + (1 - 2 * edge) * u",
        "return edge + (1 - 2 * edge) * u**1.5",
    ),
    Mutant(
        "time strata of each rank",
        "masked",
        "noise",
        "part, total = x.index, x.total",
        "part, total = torch.randperm(batch, generator=rng), batch",
    ),
    Mutant(
        "tokens masked with the probability to survive",
        "masked",
        "noise",
        "(u >= schedule.alpha(t))",
        "(u < schedule.alpha(t))",
    ),
    Mutant(
        "one set for the whole batch",
        "masked",
        "noise",
        "u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)",
        "u = torch.rand(x.tokens.shape[1], generator=rng).expand(x.tokens.shape)",
    ),
    Mutant("prompt tokens masked", "masked", "noise", "& x.valid & ~x.fixed", "& x.valid"),
    Mutant("padding masked", "masked", "noise", "& x.valid & ~x.fixed", "& ~x.fixed"),
    Mutant(
        "every third token value never masked",
        "masked",
        "noise",
        "x.tokens.masked_fill(corrupted, vocab.mask)",
        "x.tokens.masked_fill(corrupted & (x.tokens % 3 != 0), vocab.mask)",
    ),
    Mutant(
        "sampling starts with the last position unmasked",
        "masked",
        "noise",
        "tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)",
        "tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)\n    tokens[:, -1] = 0",
    ),
    Mutant(
        "exact count that never masks all tokens",
        "exact count",
        "noise",
        ".floor()).clamp(max=n)",
        ".floor()).clamp(max=n - 1)",
    ),
    Mutant(
        "uniform count that never masks all tokens",
        "uniform count",
        "noise",
        "(u * (n - min_corrupted + 1)).long()",
        "(u * (n - min_corrupted)).long()",
    ),
]
