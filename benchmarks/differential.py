"""Every loss with every compatible weight and noise, against independently written formulas.

python -m benchmarks.differential [--into FILE]       docs/_results/differential.md is its output

A small model in float64 with the same corrupted tokens: the terms of the package against the
formulas of the papers (law files of targets, losses and weights: dense, one sequence at a time).
The figure is the largest difference relative to the largest value; the control is a term that is
1% larger.
"""

import argparse
import sys
import tempfile
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent
LAW = "every loss term equals its formula"


def candidates() -> list[dict[str, str]]:
    """Noise, targets and losses of specs, compatible or not."""
    from xlm_spec.compiler.components import values

    weights = [
        w if w != "elbo_clipped" else "{kind: elbo_clipped, largest: 2}" for w in values("weight")
    ]
    counts = [
        "count: bernoulli, schedule: cosine",
        "count: {kind: exact, min_corrupted: 0}, schedule: cosine",
        "count: uniform",
    ]
    found = []
    for process, count, weight in product(("mask", "drop"), counts, weights):
        noise = f"{{process: {process}, {count}}}"
        if process == "mask":
            loss = f"[cross_entropy: {{weight: {weight}}}]"
            found.append({"noise": noise, "target": "masked_tokens", "loss": loss})
            continue
        for term in ("gap_cross_entropy", "insertion_bound"):
            loss = f"[{term}: {{weight: {weight}}}, stop_cross_entropy: {{weight: {weight}}}]"
            found.append({"noise": noise, "target": "[gap_tokens, stop]", "loss": loss})
    classes = "{weight: per_count, complete: 0.9}"
    loss = f"[gap_cross_entropy: {{weight: per_count}}, weighted_stop_cross_entropy: {classes}]"
    found.append({"noise": "{process: drop}", "target": "[gap_tokens, stop]", "loss": loss})
    plain = {"noise": "{process: none}", "target": "next_token", "loss": "cross_entropy"}
    replaced = [
        {"noise": noise, "target": "clean_tokens", "loss": "interpolating_bound"}
        for noise in ("{process: uniform, schedule: cosine}", "{process: mixture}")
    ]
    share = "{process: mixture, schedule: stationary}"
    stepped = share.replace("}", ", time: discrete}")
    replaced += [
        {"noise": noise, "target": "clean_tokens", "loss": loss}
        for noise, loss in (
            (share, "score_entropy"),
            (stepped, "posterior_kl"),
            (share, "denoiser_bound"),
            (share, "flow_divergence"),
        )
    ]
    return [*found, plain, *replaced]


def rows() -> list[tuple[str, str, str, float, float]]:
    """(loss, weight, noise, difference, control) of every compatible candidate."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "templates")]
    from laws.sampled_laws import method, results
    from methods import INSERTED, MASKED, MIXED, PLAIN, REPLACED

    from xlm_spec.diagnostics import Failed

    found = []
    for parts in candidates():
        samplers = {"masked_tokens": MASKED, "next_token": PLAIN}
        base = samplers.get(parts["target"], INSERTED)
        if parts["target"] == "clean_tokens":
            base = MIXED if "mixture" in parts["noise"] else REPLACED
        with tempfile.TemporaryDirectory(prefix="xlm-spec-differential-") as place:
            try:
                m = method(Path(place), base, **parts)
            except Failed:
                continue  # the compiler rejects the combination
            noise = m.noise["process"]["kind"]
            noise += "".join(
                f", {m.noise[k]['kind']}" for k in ("count", "schedule") if k in m.noise
            )
            weight = {
                t["kind"]: t.get("weight", {}).get("kind", "one") for t in m.plan["method"]["loss"]
            }
            for r in results(m, LAW):
                found.append(
                    (r.figure.of, weight[r.figure.of], noise, r.figure.value, r.figure.control)
                )
    return found


def table() -> str:
    """A Markdown table with a row for each term."""
    lines = ["| loss | weight | noise | difference | control |", "|---|---|---|---|---|"]
    unlike = {row[:3]: row for row in rows()}  # several methods share the stop loss
    for loss, weight, noise, off, control in unlike.values():
        lines.append(f"| `{loss}` | `{weight}` | {noise} | {off:.1e} | {control:.2g} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, metavar="FILE", help="file for the table")
    args = parser.parse_args()
    found = table()
    print(found, end="")
    if args.into:
        note = "<!-- The table printed by `python -m benchmarks.differential --into FILE`. -->\n\n"
        args.into.write_text(note + found, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
