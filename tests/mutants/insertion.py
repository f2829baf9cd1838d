"""Errors of methods that insert tokens."""

from mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "gap shifted by one",
        "insertion",
        "noise",
        "keep.long().cumsum(1) - 1, read)",
        "keep.long().cumsum(1) - 2, read)",
    ),
    Mutant(
        "model reads the dropped tokens",
        "insertion",
        "noise",
        "keep = x.valid & ~corrupted",
        "keep = x.valid",
    ),
    Mutant(
        "sampling starts at the full length",
        "insertion",
        "noise",
        "compact(x.valid & x.fixed, x.tokens, open_gaps(x))",
        "compact(x.valid, x.tokens, open_gaps(x))",
    ),
    Mutant(
        "one number of corrupted tokens too many",
        "insertion",
        "noise",
        "keepdim=True) - min_corrupted + 1).clamp(min=1)",
        "keepdim=True) - min_corrupted + 2).clamp(min=1)",
    ),
    Mutant(
        "stop head inverted",
        "insertion",
        "loss",
        "complete = target.complete.to(logit.dtype)",
        "complete = (~target.complete).to(logit.dtype)",
    ),
    Mutant(
        "stop probability inverted",
        "insertion",
        "rules",
        "return u < torch.sigmoid(logit)",
        "return u > torch.sigmoid(logit)",
    ),
    Mutant(
        "bound without the number of orders",
        "insertion",
        "loss",
        "nats = -number / missing * (log_p + missing.log())",
        "nats = -number / missing * log_p",
    ),
    Mutant(
        "sum instead of mean",
        "insertion",
        "loss",
        "-number / missing * log_p)[:, None]",
        "-number * log_p)[:, None]",
    ),
    Mutant(
        "insertion before the gap",
        "insertion",
        "ops",
        "moved = torch.where(valid, index + before, length)",
        "moved = torch.where(valid, index + total, length)",
    ),
    Mutant(
        "insertion into a closed gap",
        "insertion",
        "noise",
        "return GapState(tokens, valid, valid.clone(), open & valid)",
        "return GapState(tokens, valid, valid.clone(), valid)",
    ),
    Mutant(
        "index of a pair decoded with the wrong divisor",
        "joint_insertion",
        "sampler",
        "pair // vocab.size, pair % vocab.size",
        "pair % width, pair // width",
    ),
]
