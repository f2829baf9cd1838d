"""Errors of insertions and edits at learned rates."""

from mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "a fixed token is dropped at its time",
        "editflows",
        "noise",
        "(u >= schedule.alpha(t)) & x.valid & ~x.fixed",
        "(u >= schedule.alpha(t)) & x.valid",
    ),
    Mutant(
        "tokens dropped w.p. alpha",
        "editflows",
        "noise",
        "(u >= schedule.alpha(t)) & x.valid & ~x.fixed",
        "(u < schedule.alpha(t)) & x.valid & ~x.fixed",
    ),
    Mutant(
        "missing tokens in the gap after theirs",
        "editflows",
        "noise",
        "keep.long().cumsum(1) - 1, dropped_p)",
        "keep.long().cumsum(1).clamp(max=valid.sum(1, keepdim=True) - 1), dropped_p)",
    ),
    Mutant(
        "rate of an insertion without the tokens that are there",
        "editflows",
        "noise",
        "return -schedule.dalpha(t) / (1 - schedule.alpha(t))",
        "return -schedule.dalpha(t) / (1 - 0.9 * schedule.alpha(t))",
    ),
    Mutant(
        "one softmax over all missing tokens",
        "editflows",
        "loss",
        "token_nats(model.gap_token_logits, at, target.token)",
        "token_nats(model.gap_token_logits, at, target.token).mean().expand(len(at))",
    ),
    Mutant(
        "closed gaps in the divergence",
        "editflows",
        "target",
        "GapCounts(count / p, open, p)",
        "GapCounts(count / p, open | True, p)",
    ),
    Mutant(
        "no term of the gaps in which nothing is missing",
        "editflows",
        "target",
        "GapCounts(count / p, open, p)",
        "GapCounts(count / p, open & (count > 0), p)",
    ),
    Mutant(
        "probability of an insertion from a rate frozen until t = 0",
        "editflows",
        "sampler",
        "(schedule.alpha(s) - schedule.alpha(t))[row, 0]",
        "((schedule.alpha(t) - 1) * (s / t).log().clamp(min=-9))[row, 0]",
    ),
    Mutant(
        "rate times the length of a step",
        "editflows",
        "sampler",
        "share * model.gap_count(hidden[row, col])",
        "share / (1 - schedule.alpha(t))[row, 0] * model.gap_count(hidden[row, col])",
    ),
    Mutant(
        "insertions only at the end",
        "editflows",
        "ops",
        "counts = torch.zeros_like(state.tokens).index_put((row, col), torch.ones_like(col))",
        "col = state.valid.sum(1)[row] - 1\n"
        "    counts = torch.zeros_like(state.tokens).index_put((row, col), torch.ones_like(col))",
    ),
    Mutant(
        "sampler never deletes",
        "edits",
        "sampler",
        "keep = grown.valid & (grown.tokens >= 0)",
        "keep = grown.valid",
    ),
    Mutant(
        "a fixed token is deleted",
        "edits",
        "sampler",
        "free = state.valid & ~state.fixed",
        "free = state.valid & ~state.fixed | state.open & (share > 0.5 / 128)",
    ),
    Mutant(
        "the token after an insertion is substituted",
        "edits",
        "sampler",
        "row, col = other.nonzero(as_tuple=True)",
        "row, col = (other.roll(1, 1) & free).nonzero(as_tuple=True)",
    ),
    Mutant(
        "a substitute drawn as an insertion",
        "edits",
        "sampler",
        "draw(model.token_logits(hidden[row, col]), rng)",
        "draw(model.gap_token_logits(hidden[row, col]), rng)",
    ),
    Mutant(
        "no insertion after a deleted token",
        "edits",
        "sampler",
        "row, col = inserts.nonzero(as_tuple=True)",
        "row, col = (inserts & ~deleted).nonzero(as_tuple=True)",
    ),
]
