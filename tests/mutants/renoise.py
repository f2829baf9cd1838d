"""Errors of the sampler that noises uncertain tokens again."""

from mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "highest entropies kept",
        "renoised",
        "sampler",
        "rank(-entropy, row)",
        "rank(entropy, row)",
    ),
    Mutant(
        "bound on the sum with the largest",
        "renoised",
        "sampler",
        "(ranked.cumsum(1) - ranked)[row, nth]",
        "ranked.cumsum(1)[row, nth]",
    ),
    Mutant(
        "uncertain tokens stay",
        "renoised",
        "sampler",
        "draw(logits, rng), random[row, col])",
        "draw(logits, rng), state.tokens[row, col])",
    ),
    Mutant(
        "temperature that rises",
        "renoised",
        "sampler",
        "(coldest + (warmest - coldest) * t[row])",
        "(warmest + (coldest - warmest) * t[row])",
    ),
    Mutant(
        "last tokens drawn",
        "renoised",
        "sampler",
        "torch.where(s[row, 0] > 0, token, p.argmax(-1))",
        "torch.where(s[row, 0] > 0, token, draw(logits, rng))",
    ),
    Mutant(
        "noise of the time of the step",
        "renoised",
        "sampler",
        "mixed_noise(torch.ones_like(t), schedule, vocab)",
        "mixed_noise(t, schedule, vocab)",
    ),
]
