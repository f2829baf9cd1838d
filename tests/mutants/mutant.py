"""One error in a built package, and the methods that have errors."""

from dataclasses import dataclass

import yaml
from methods import EDITED, INSERTED, MASKED, MIXED, PLAIN, ROOT, text

RATIO = MIXED | {"noise": "{process: mixture, schedule: {kind: stationary, share: 0.3}}"}
REPLACING = {  # the shipped specs of these kinds are verified when they are recorded
    "mixed": text(RATIO),
    "curved": text(RATIO, noise="{process: mixture, schedule: {kind: stationary, flow_power: 3}}"),
    "scores": text(RATIO, loss="score_entropy", sampler="mixture_euler"),
    "discrete": text(
        RATIO,
        noise="{process: mixture, schedule: {kind: stationary, share: 0.3}, time: discrete}",
        loss="posterior_kl",
    ),
    "psi": text(RATIO, sampler="mixture_psi"),
    "redrawn": text(RATIO, sampler="{kind: mixture_posterior, corrector: mixture_gibbs}"),
    "flow": text(RATIO, loss="cross_entropy", sampler="mixture_flow"),
    "renoised": text(MIXED, loss="cross_entropy", sampler="mixture_renoise"),
    "rates": text(RATIO, loss="flow_divergence", sampler="mixture_flow"),
    "denoiser": text(
        RATIO, loss="denoiser_bound", sampler="{kind: mixture_posterior, wrap: leave_one_out}"
    ),
    "denoised": text(RATIO, sampler="{kind: mixture_flow, wrap: denoiser}"),
}
AS_IN_CODE = {
    "drawn": text(sampler="drawn_confidence"),
    "maskgit": text(sampler="{kind: drawn_confidence, annealed: true, noise: 2}"),
    "alg_temp": text(sampler="{kind: drawn_confidence, noise: 0.3, eos_last: true}"),
    "scheduled": text(sampler="{kind: scheduled_budget, order: margin}"),
    "rounded": text(sampler="{kind: scheduled_budget, order: margin, counts: round}"),
    "floored": text(sampler="{kind: scheduled_budget, order: margin, counts: floor, end: 0.1}"),
    "few masks": text(sampler="{kind: scheduled_budget, order: margin, counts: masks_left}"),
    "binomial": text(sampler="{kind: scheduled_budget, order: random, counts: binomial}"),
    "noisy order": text(sampler="{kind: scheduled_budget, order: margin, noise: 0.3}"),
    "drawn threshold": text(sampler="drawn_threshold"),
    "drawn factor": text(sampler="drawn_factor"),
    "proxy": text(sampler="{kind: entropy_bounded, proxy: margin}"),
    "guided": text(sampler="{kind: first_hitting, wrap: guidance}"),
    "suppressed": text(
        sampler="{kind: first_hitting, wrap: {suppress_tokens: {first: 2, count: 1}}}"
    ),
    "processed": text(sampler="{kind: fixed_budget, order: entropy, wrap: logits_processor}"),
    "top_p_below": text(sampler="{kind: ancestral, tokens: {kind: top_p_below, p: 0.8}}"),
    "per length": text(loss="[cross_entropy: {weight: elbo_per_length}]"),
    "per masked": text(loss="[cross_entropy: {weight: per_masked}]"),
    "classes": text(
        INSERTED,
        loss="[gap_cross_entropy, weighted_stop_cross_entropy: {complete: 0.9, weight: 0.001}]",
        sampler="insertion",
    ),
}
TIMES = {
    "importance": text(noise="{process: mask, schedule: cosine, time: importance}"),
    "limits": text(noise="{process: mask, time: {kind: clipped, least: 0.3, most: 0.8}}"),
}
SPECS = {
    "masked": text(MASKED),
    "exact count": text(noise="{process: mask, count: exact}", sampler="first_hitting"),
    "uniform count": text(noise="{process: mask, count: uniform}"),
    "clipped": text(loss="[cross_entropy: {weight: {kind: elbo_clipped, largest: 1.5}}]"),
    "cosine": text(noise="{process: mask, schedule: cosine}"),
    "eps": text(noise="{process: mask, schedule: {kind: linear, eps: 0.01}}"),
    "budget": text(sampler="{kind: fixed_budget, order: confidence, tokens_per_step: 1}"),
    "margin": text(sampler="{kind: fixed_budget, order: margin, tokens_per_step: 1}"),
    "random order": text(sampler="{kind: fixed_budget, order: random, tokens_per_step: 1}"),
    "first_hitting": text(sampler="first_hitting"),
    "blocks": text(sampler="{kind: first_hitting, wrap: {blocks: {size: 2}}}"),
    "threshold": text(sampler="{kind: threshold, threshold: 0.9}"),
    "entropy_bounded": text(sampler="{kind: entropy_bounded, gamma: 0.1}"),
    "mask_predict": text(sampler="{kind: mask_predict, rounds: 10}"),
    "remasked": text(sampler="{kind: remask, steps: 128, remasking: {kind: cap, rate: 0.02}}"),
    "remasked by confidence": text(sampler="{kind: remask, steps: 128, remasking: confidence}"),
    "loop": text(sampler="{kind: remask_loop, steps: 128}"),
    "top_k": text(sampler="{kind: ancestral, tokens: {kind: top_k, k: 3}}"),
    "top_p": text(sampler="{kind: ancestral, tokens: {kind: top_p, p: 0.8}}"),
    "min_p": text(sampler="{kind: ancestral, tokens: {kind: min_p, share: 0.1}}"),
    "timed": text(backbone="{kind: dit}"),
    "timed first_hitting": text(backbone="{kind: dit}", sampler="first_hitting"),
    "timed order": text(
        backbone="{kind: dit}",
        sampler="{kind: fixed_budget, order: confidence, tokens_per_step: 1}",
    ),
    "insertion": text(INSERTED),
    "stop threshold": text(INSERTED, sampler="{kind: insertion, stop: threshold}"),
    "joint_insertion": text(INSERTED, sampler="{kind: joint_insertion, stop: drawn}"),
    "edits": text(EDITED, noise="{process: {kind: edits, longest: 2}}"),
    "left to right": text(PLAIN),
    **REPLACING,
    **AS_IN_CODE,
    **TIMES,
}
SHIPPED = (
    "did",
    "dilm",
    "editflows",
    "editflows_noise",
    "flexmdm",
    "insertion_tree",
    "levenshtein",
)  # shipped specs
for shipped in SHIPPED:
    written = yaml.safe_load((ROOT / "specs" / f"{shipped}.yaml").read_text())
    exact = written["sampler"].get("exact", written["sampler"])  # one of several is enough
    SPECS[shipped] = yaml.safe_dump(written | {"name": "method", "sampler": exact})


@dataclass(frozen=True)
class Mutant:
    """An error: its name, its method, its file, and the replaced text."""

    name: str
    spec: str
    file: str
    old: str
    new: str
