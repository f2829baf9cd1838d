"""Errors of the insertion transformer, in the shipped spec."""

from mutants.mutant import Mutant

SPEC = "insertion_tree"

MUTANTS = [
    Mutant(
        "shares that do not add up to one",
        SPEC,
        "target",
        "weight / total",
        "weight",
    ),
    Mutant(
        "tree around the first token of a gap",
        SPEC,
        "target",
        "(2 * position - first - last).abs() // 2",
        "position - first",
    ),
    Mutant(
        "gaps with missing tokens are finished too",
        SPEC,
        "target",
        "weight / total, open & ~filled)",
        "weight / total, open)",
    ),
    Mutant(
        "closed gaps are finished",
        SPEC,
        "target",
        "weight / total, open & ~filled)",
        "weight / total, ~filled)",
    ),
    Mutant(
        "tokens without p(not finished)",
        SPEC,
        "loss",
        "target.share * (nats - F.logsigmoid(-model.gap_end_logit(at)))",
        "target.share * nats",
    ),
    Mutant(
        "end of a gap inverted in its loss",
        SPEC,
        "loss",
        "-F.logsigmoid(model.gap_end_logit(hidden[row, col]))",
        "-F.logsigmoid(-model.gap_end_logit(hidden[row, col]))",
    ),
    Mutant(
        "finished gaps take tokens",
        SPEC,
        "sampler",
        ".sigmoid() < ends",
        ".sigmoid() >= ends",
    ),
    Mutant(
        "only the first gap takes a token",
        SPEC,
        "sampler",
        "local, col = local[going], col[going]",
        "going = going & (col == 0)\n    local, col = local[going], col[going]",
    ),
    Mutant(
        "distances to the middle of the sequence",
        SPEC,
        "target",
        "(2 * position - first - last).abs() // 2",
        "((2 * position - x.valid.sum(1)[row]).abs() // 2).clamp(max=9)",
    ),
    Mutant(
        "finished gaps are asked again",
        SPEC,
        "sampler",
        "state = state._replace(open=state.open.index_put((rows[local], col), going))",
        "pass",
    ),
]
