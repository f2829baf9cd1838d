"""Packages that are wrong in one place, as published code has been; each is to break a law.

A mutant is a patch of a built package: of a file, a text for a text that stands there once.
"""

from dataclasses import dataclass

from making import INSERTED, MASKED, PLAIN, text

SPECS = {
    "masked": text(MASKED),
    "exact count": text(noise="{process: mask, count: exact}", sampler="first_hitting"),
    "uniform count": text(noise="{process: mask, count: uniform}"),
    "clipped": text(loss="[cross_entropy: {weight: {kind: elbo_clipped, largest: 1.5}}]"),
    "cosine": text(noise="{process: mask, schedule: cosine}"),
    "eps": text(noise="{process: mask, schedule: {kind: linear, eps: 0.01}}"),
    "budget": text(sampler="{kind: fixed_budget, sites: confidence, per_step: 1}"),
    "margin": text(sampler="{kind: fixed_budget, sites: margin, per_step: 1}"),
    "random order": text(sampler="{kind: fixed_budget, sites: random, per_step: 1}"),
    "jumps": text(sampler="first_hitting"),
    "blocks": text(sampler="{kind: first_hitting, outer: {kind: blocks, size: 2}}"),
    "sure": text(sampler="{kind: threshold, threshold: 0.9}"),
    "bounded": text(sampler="{kind: entropy_bounded, gamma: 0.1}"),
    "rounds": text(sampler="{kind: mask_predict, rounds: 10}"),
    "remasked": text(sampler="{kind: remask, steps: 128, remasking: {kind: cap, rate: 0.02}}"),
    "remasked by doubt": text(sampler="{kind: remask, steps: 128, remasking: confidence}"),
    "loop": text(sampler="{kind: remask_loop, steps: 128}"),
    "top_k": text(sampler="{kind: ancestral, tokens: {kind: top_k, k: 3}}"),
    "top_p": text(sampler="{kind: ancestral, tokens: {kind: top_p, p: 0.8}}"),
    "min_p": text(sampler="{kind: ancestral, tokens: {kind: min_p, share: 0.1}}"),
    "timed": text(backbone="{kind: dit}"),
    "timed jumps": text(backbone="{kind: dit}", sampler="first_hitting"),
    "timed order": text(
        backbone="{kind: dit}", sampler="{kind: fixed_budget, sites: confidence, per_step: 1}"
    ),
    "inserted": text(INSERTED),
    "greedy": text(INSERTED, sampler="{kind: insertion, stop: threshold}"),
    "joint": text(INSERTED, sampler="{kind: joint_insertion, stop: drawn}"),
    "left to right": text(PLAIN),
}


@dataclass(frozen=True)
class Mutant:
    """What is wrong, of which method, where."""

    name: str
    spec: str
    file: str
    old: str
    new: str


FIRES = "fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))"
MUTANTS = [
    # ---- schedules and times --------------------------------------------------------------------
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
        "times crowded at the data",
        "masked",
        "noise",
        "return edge + (1 - 2 * edge) * u",
        "return edge + (1 - 2 * edge) * u**1.5",
    ),
    Mutant(
        "strata of each rank",
        "masked",
        "noise",
        "part, total = x.index, x.total",
        "part, total = torch.randperm(batch, generator=rng), batch",
    ),
    # ---- corruption -----------------------------------------------------------------------------
    Mutant(
        "tokens hidden with the chance to survive",
        "masked",
        "noise",
        "(u >= schedule.alpha(t))",
        "(u < schedule.alpha(t))",
    ),
    Mutant(
        "one set for all rows",
        "masked",
        "noise",
        "u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)",
        "u = torch.rand(x.tokens.shape[1], generator=rng).expand(x.tokens.shape)",
    ),
    Mutant("a prompt is masked too", "masked", "noise", "& x.valid & ~x.fixed", "& x.valid"),
    Mutant("padding is masked too", "masked", "noise", "& x.valid & ~x.fixed", "& ~x.fixed"),
    Mutant(
        "one token in three is never masked",
        "masked",
        "noise",
        "x.tokens.masked_fill(chosen, vocab.mask)",
        "x.tokens.masked_fill(chosen & (x.tokens % 3 != 0), vocab.mask)",
    ),
    Mutant(
        "sampling starts without the last mask",
        "masked",
        "noise",
        "tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)",
        "tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)\n    tokens[:, -1] = 0",
    ),
    Mutant(
        "a count that is never full",
        "exact count",
        "noise",
        ".floor()).clamp(max=n)",
        ".floor()).clamp(max=n - 1)",
    ),
    Mutant(
        "a uniform count that is never full",
        "uniform count",
        "noise",
        "(u * (n - least + 1)).long()",
        "(u * (n - least)).long()",
    ),
    # ---- weights and losses ---------------------------------------------------------------------
    Mutant(
        "weight off by a tenth",
        "masked",
        "noise",
        "return -schedule.dalpha(t) / gone",
        "return -1.1 * schedule.dalpha(t) / gone",
    ),
    Mutant(
        "weight of masked diffusion without its derivative",
        "cosine",
        "noise",
        "return -schedule.dalpha(t) / gone",
        "return 1 / gone",
    ),
    Mutant(
        "weight 1 / alpha",
        "masked",
        "noise",
        "return -schedule.dalpha(t) / gone",
        "return -schedule.dalpha(t) / schedule.alpha(t).clamp(min=1e-6)",
    ),
    Mutant(
        "P(k) of another schedule",
        "exact count",
        "noise",
        "weight / k.clamp(min=1)",
        "weight / (k + 1)",
    ),
    Mutant("clipped from below", "clipped", "loss", ".clamp(max=largest)", ".clamp(min=largest)"),
    Mutant(
        "loss over visible sites",
        "masked",
        "target",
        "row, col = masked.nonzero(as_tuple=True)",
        "row, col = (~masked).nonzero(as_tuple=True)",
    ),
    Mutant(
        "loss over all sites",
        "masked",
        "target",
        "row, col = masked.nonzero(as_tuple=True)",
        "row, col = (masked | True).nonzero(as_tuple=True)",
    ),
    Mutant(
        "the site on the left is asked",
        "masked",
        "loss",
        "hidden[target.row, target.col]",
        "hidden[target.row, target.col - 1]",
    ),
    Mutant(
        "bits, not nats",
        "masked",
        "loss",
        'reduction="none")  # (N,)',
        'reduction="none") / 0.6931',
    ),
    Mutant(
        "label smoothing",
        "masked",
        "loss",
        'reduction="none")',
        'reduction="none", label_smoothing=0.1)',
    ),
    Mutant("mean over sites", "masked", "objective", "target)).sum(1)}", "target)).mean(1)}"),
    Mutant(
        "divided by the batch's masks",
        "masked",
        "objective",
        "target)).sum(1)}",
        "target)).sum(1) * len(x.tokens) * 3 / z.masked.sum()}",
    ),
    Mutant(
        "divided by the row's masks",
        "masked",
        "objective",
        "target)).sum(1)}",
        "target)).sum(1) / z.masked.sum(1).clamp(min=1)}",
    ),
    Mutant(
        "the network is told how much is left",
        "timed",
        "objective",
        "model(z.tokens, z.valid, t)",
        "model(z.tokens, z.valid, 1 - t)",
    ),
    Mutant(
        "the backbone never trains",
        "masked",
        "objective",
        "hidden = model(z.tokens, z.valid)",
        "hidden = model(z.tokens, z.valid).detach()",
    ),
    Mutant(
        "every batch hides the same sets",
        "masked",
        "noise",
        "u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)\n"
        "    return (u >= schedule.alpha(t))",
        "u = torch.rand(x.tokens.shape, generator=torch.Generator().manual_seed(0))\n"
        "    return (u >= schedule.alpha(t))",
    ),
    Mutant(
        "the network is told another row's time",
        "timed",
        "objective",
        "model(z.tokens, z.valid, t)",
        "model(z.tokens, z.valid, t.roll(1, 0))",
    ),
    Mutant(
        "the network reads the clean text",
        "masked",
        "objective",
        "model(z.tokens, z.valid)",
        "model(x.tokens, z.valid)",
    ),
    Mutant(
        "the next token's target a site late",
        "left to right",
        "target",
        "x.tokens[row, col + 1]",
        "x.tokens[row, col]",
    ),
    Mutant(
        "the end of a text is not scored",
        "left to right",
        "target",
        "(x.valid & ~x.fixed)[:, 1:].nonzero",
        "(x.valid & ~x.fixed & (x.tokens < 4))[:, 1:].nonzero",
    ),
    # ---- samplers of masked texts ---------------------------------------------------------------
    Mutant(
        "a step late",
        "masked",
        "sampler",
        "fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))",
        "fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t)) * (t < 1)",
    ),
    Mutant(
        "unmasks by the share of all tokens",
        "masked",
        "sampler",
        "fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))",
        "fires = schedule.alpha(s) - schedule.alpha(t)",
    ),
    Mutant(
        "28 % in the first step",
        "masked",
        "sampler",
        "fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))",
        f"{FIRES}\n    fires = torch.where(t == 1, 0.28, fires)",
    ),
    Mutant(
        "given tokens are masked too",
        "random order",
        "noise",
        "x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)",
        "x.tokens.masked_fill(x.valid, vocab.mask)",
    ),
    Mutant("two sites a step", "budget", "sampler", "row) < per_step", "row) <= per_step"),
    Mutant(
        "jumps as if one token were left", "jumps", "sampler", "u ** (1 / left.clamp(min=1))", "u"
    ),
    Mutant(
        "the network is told the end of the jumps",
        "timed jumps",
        "sampler",
        "model(state.tokens[rows], state.valid[rows], s[rows])",
        "model(state.tokens[rows], state.valid[rows], torch.zeros_like(s[rows]))",
    ),
    Mutant(
        "always the first site jumps",
        "jumps",
        "sampler",
        "col = key.argmax(1)[rows]",
        "col = masked.long().argmax(1)[rows]",
    ),
    Mutant(
        "the last block is left out",
        "blocks",
        "sampler",
        "for first, last in windows(start, size=config.sampler.outer.size):",
        "for first, last in list(windows(start, size=config.sampler.outer.size))[:-1]:",
    ),
    Mutant(
        "a network that is told the time reads a cache of the first step",
        "timed",
        "sampler",
        "model(state.tokens[rows], state.valid[rows], t[rows])",
        "model(state.tokens[rows], state.valid[rows], torch.ones_like(t[rows]))",
    ),
    Mutant(
        "the network is told the share that is left",
        "timed order",
        "sampler",
        "schedule.inverse(1 - share)",
        "schedule.inverse(share)",
    ),
    Mutant(
        "drawn from the global generator",
        "masked",
        "sampler",
        "torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)",
        "torch.rand(state.tokens.shape)",
    ),
    Mutant(
        "as many jumps as the fullest prompt leaves",
        "jumps",
        "sampler",
        "for _ in range(int(left.max())):",
        "for _ in range(int(left.min())):",
    ),
    Mutant(
        "the first row's prompt is taken for all",
        "masked",
        "noise",
        "tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)",
        "tokens = x.tokens.masked_fill(x.valid & ~x.fixed[:1], vocab.mask)",
    ),
    Mutant(
        "padding is written, too",
        "masked",
        "noise",
        "State(tokens, x.valid.clone(), x.fixed.clone())",
        "State(tokens, torch.ones_like(x.valid), x.fixed.clone())",
    ),
    Mutant(
        "tokens given further on are overwritten",
        "left to right",
        "sampler",
        "token = torch.where(given, x.tokens[row, end], token)",
        "token = token",
    ),
    Mutant(
        "sure by its two likeliest tokens",
        "sure",
        "sampler",
        "logits.softmax(-1).amax(-1)",
        "logits.softmax(-1).topk(2, -1)[0].sum(-1)",
    ),
    Mutant(
        "waits until it is sure",
        "sure",
        "sampler",
        "(confidence >= threshold) | (rank(confidence, row) == 0)",
        "confidence >= threshold",
    ),
    Mutant(
        "the largest entropy counts too",
        "bounded",
        "sampler",
        "before = ranked.cumsum(1) - ranked",
        "before = ranked.cumsum(1) - ranked[:, :1]",
    ),
    Mutant(
        "the surest are masked again",
        "rounds",
        "sampler",
        "rank(-confidence[row, col], row)",
        "rank(confidence[row, col], row)",
    ),
    Mutant(
        "a round short",
        "rounds",
        "sampler",
        "yield Round(left, rounds)",
        "yield Round(max(0, left - 1), rounds)",
    ),
    Mutant(
        "remasking without making up for it",
        "remasked",
        "sampler",
        "fires = (alpha_s - (1 - sigma) * alpha_t)",
        "fires = (alpha_s - alpha_t)",
    ),
    Mutant(
        "remasking by what is left",
        "remasked",
        "rules",
        "most.clamp(max=self.rate)",
        "(self.rate * most)",
    ),
    Mutant(
        "the surest are doubted",
        "remasked by doubt",
        "rules",
        "(-confidence).masked_fill",
        "confidence.masked_fill",
    ),
    Mutant(
        "remasking outside the loop",
        "loop",
        "sampler",
        " * (s == t)  # (B, L)",
        "  # (B, L)",
    ),
    Mutant(
        "stops where it is unsure",
        "greedy",
        "rules",
        "torch.sigmoid(logit) > self.threshold",
        "torch.sigmoid(logit) < self.threshold",
    ),
    # ---- rules ----------------------------------------------------------------------------------
    Mutant("temperature ignored", "masked", "rules", "(logits / self.temperature)", "logits"),
    Mutant(
        "top-k off by one",
        "top_k",
        "rules",
        "logits.topk(min(self.k, logits.shape[-1])",
        "logits.topk(min(self.k + 1, logits.shape[-1])",
    ),
    Mutant(
        "top-p off by one", "top_p", "rules", "before = p.cumsum(-1) - p", "before = p.cumsum(-1)"
    ),
    Mutant(
        "min-p against one", "min_p", "rules", "self.share * p.amax(-1, keepdim=True)", "self.share"
    ),
    Mutant(
        "Gumbel noise in half precision",
        "masked",
        "rules",
        "return torch.multinomial(p, 1, generator=rng)[:, 0]",
        "u = torch.rand(p.shape, generator=rng).half().clamp(min=1e-3)\n"
        "        return (p.log() - (-u.log()).log()).argmax(-1)",
    ),
    Mutant(
        "confidence of the least likely",
        "budget",
        "rules",
        "logits.softmax(-1).amax(-1)",
        "logits.softmax(-1).amin(-1)",
    ),
    Mutant(
        "margin turned round", "margin", "rules", "return first - second", "return second - first"
    ),
    # ---- insertion ------------------------------------------------------------------------------
    Mutant(
        "gap shifted by one",
        "inserted",
        "noise",
        "keep.long().cumsum(1) - 1)",
        "keep.long().cumsum(1) - 2)",
    ),
    Mutant(
        "what is dropped is still read",
        "inserted",
        "noise",
        "keep = x.valid & ~chosen",
        "keep = x.valid",
    ),
    Mutant(
        "sampling starts with the whole text's room",
        "inserted",
        "noise",
        "compact(x.valid & x.fixed, x.tokens, open_gaps(x))",
        "compact(x.valid, x.tokens, open_gaps(x))",
    ),
    Mutant(
        "a level too many",
        "inserted",
        "noise",
        "keepdim=True) - least + 1).clamp(min=1)",
        "keepdim=True) - least + 2).clamp(min=1)",
    ),
    Mutant(
        "stop head inverted",
        "inserted",
        "loss",
        "wanted = target.complete.to(logit.dtype)",
        "wanted = (~target.complete).to(logit.dtype)",
    ),
    Mutant(
        "stops when it should go on",
        "inserted",
        "rules",
        "return u < torch.sigmoid(logit)",
        "return u > torch.sigmoid(logit)",
    ),
    Mutant(
        "a bound without its orders",
        "inserted",
        "loss",
        "nats = -(log_p + missing.log()) / missing",
        "nats = -log_p / missing",
    ),
    Mutant(
        "a sum where the mean is meant",
        "inserted",
        "loss",
        "-log_p / missing[target.row]",
        "-log_p",
    ),
    Mutant(
        "insertion before the gap",
        "inserted",
        "ops",
        "place = torch.where(valid, site + before, length)",
        "place = torch.where(valid, site + total, length)",
    ),
    Mutant(
        "insertion into a closed gap",
        "inserted",
        "noise",
        "return GapState(tokens, valid, valid.clone(), open & valid)",
        "return GapState(tokens, valid, valid.clone(), valid)",
    ),
    Mutant(
        "a drawn pair read the wrong way round",
        "joint",
        "sampler",
        "pair // vocab.size, pair % vocab.size",
        "pair % width, pair // width",
    ),
    # ---- networks -------------------------------------------------------------------------------
    Mutant(
        "padding attended",
        "masked",
        "model",
        "mask = valid[:, None, None, :].expand(-1, 1, valid.shape[1], -1)",
        "mask = torch.ones_like(valid)[:, None, None, :].expand(-1, 1, valid.shape[1], -1)",
    ),
    Mutant(
        "a mean over the batch",
        "masked",
        "model",
        "return self.norm(x)",
        "return self.norm(x - 0.01 * x.mean(0, keepdim=True))",
    ),
    Mutant(
        "causal attention in a masked model",
        "masked",
        "model",
        "return mask.tril() if causal else mask",
        "return mask.tril()",
    ),
    Mutant(
        "a look ahead",
        "left to right",
        "model",
        "return mask.tril() if causal else mask",
        "return mask.tril(1) if causal else mask",
    ),
    Mutant(
        "cache a position off",
        "left to right",
        "model",
        "cos, sin = angles(place[:, None, None], self.head_size)",
        "cos, sin = angles(place[:, None, None] - 1, self.head_size)",
    ),
    Mutant(
        "the newest key is not seen",
        "left to right",
        "model",
        "<= place[:, None]  # (B, L)",
        "< place[:, None]",
    ),
    Mutant(
        "the time is not heard",
        "timed",
        "model",
        "def forward(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:",
        "def forward(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:\n"
        "        t = torch.zeros_like(t)",
    ),
    Mutant(
        "the wrong site is written",
        "left to right",
        "sampler",
        "model.extend_cache(state.tokens, end - 1, state.cache)",
        "model.extend_cache(state.tokens, (end - 2).clamp(min=0), state.cache)",
    ),
]
