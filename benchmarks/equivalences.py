"""Losses of noise that replaces tokens against the published forms that they are equal to.

python -m benchmarks.equivalences [--into FILE]      docs/_results/equivalences.md is its output

4,000 positions with random logits, tokens and times, in float64: the largest difference of two
losses, relative to the largest value. The control is a form that is not equal.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
HEADER = ("loss here", "published form", "difference", "control", "which is")
NOTE = """<!-- The table printed by `python -m benchmarks.equivalences --into FILE`. -->

4,000 positions with random logits, tokens and times, float64: the largest difference, relative to
the largest value. The published forms are written out in `tests/published_losses.py`.

"""


class Pair(NamedTuple):
    """Two forms of a loss, and one that differs from them: values (N,)."""

    name: str
    form: str
    ours: Any
    theirs: Any
    other: Any
    control: str  # what `other` is


def pairs() -> list[Pair]:
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "templates")]
    import published_losses as of

    from components.loss.denoiser_bound import denoiser_bound
    from components.loss.score_entropy import score_entropy
    from components.schedule.hybrid import HybridSchedule
    from components.schedule.stationary import StationarySchedule

    masks, both, words = (StationarySchedule(share) for share in (0.0, 0.3, 1.0))
    curved, hybrid, t = StationarySchedule(0.0, 3.0), HybridSchedule(0.2), of.d3pm_times(20)
    bound, mdlm, udlm = of.bound, of.mdlm(masks), of.udlm()
    normalised, posterior = of.logits().log_softmax(-1), of.posterior(both)
    converted = bound(both, denoiser_bound, posterior)
    scores = [bound(noise, score_entropy) for noise in (masks, words)]
    of_normalised = bound(masks, score_entropy, normalised)
    steps, other_steps = (of.discrete(noise, 20, t) for noise in (masks, both))
    many, few = (of.discrete(both, number) for number in (10**6, 10))
    flow, wrong_flow = (of.flow(masks, f) for f in (of.posterior(masks), of.logits()))
    ours = "`interpolating_bound`"
    return [
        Pair(
            f"{ours}, masks",
            "MDLM: weight times cross-entropy",
            *(bound(masks), mdlm, of.mdlm(curved)),
            "the weight of another schedule",
        ),
        Pair(
            f"{ours}, random tokens",
            "UDLM: its bound in terms of N alpha x + 1 - alpha",
            *(bound(words), udlm, bound(both)),
            "with masks",
        ),
        Pair(
            f"{ours}, hybrid",
            "GIDD: its weights at masks, right and wrong tokens",
            *(bound(hybrid), of.gidd(hybrid), of.gidd(HybridSchedule(0.1))),
            "another share of random tokens",
        ),
        Pair(
            "`score_entropy`, masks",
            "SEDD, absorb",
            *(scores[0], of.sedd_absorb(), mdlm),
            "MDLM's: the logits are not normalised",
        ),
        Pair(
            "`score_entropy`, random tokens",
            "SEDD, uniform",
            *(scores[1], of.sedd_uniform(), udlm),
            "UDLM's: the logits are not normalised",
        ),
        Pair(
            "`score_entropy`, masks, normalised logits",
            "MDLM",
            *(of_normalised, mdlm, scores[0]),
            "logits that are not normalised",
        ),
        Pair(
            "`posterior_kl`, masks, T = 20",
            "D3PM: T (dt / t) times cross-entropy",
            *(steps, of.d3pm_absorb(t), other_steps),
            "with random tokens",
        ),
        Pair(
            "`posterior_kl`, both, T = 10^6",
            f"{ours}: its limit",
            *(many, bound(both), few),
            "T = 10",
        ),
        Pair(
            "`denoiser_bound`, both",
            f"{ours}, without x_t at its position",
            *(converted, bound(both), bound(both, f=posterior)),
            "without the conversion",
        ),
        Pair(
            "`flow_divergence`, masks",
            "MDLM",
            *(flow, mdlm, wrong_flow),
            "tokens that are not masked predicted anew",
        ),
    ]


def table() -> str:
    """A Markdown table with a row for each pair."""
    lines = [f"| {' | '.join(HEADER)} |", f"|{'---|' * len(HEADER)}"]
    for p in pairs():
        largest = p.theirs.abs().max()
        off, wrong = (float((a - p.theirs).abs().max() / largest) for a in (p.ours, p.other))
        lines.append(f"| {p.name} | {p.form} | {off:.1e} | {wrong:.2g} | {p.control} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, metavar="FILE", help="file for the table")
    args = parser.parse_args()
    found = table()
    print(found, end="")
    if args.into:
        args.into.write_text(NOTE + found, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
