"""Every loss with every weight and noise that fits it, against formulas written a second time.

python -m benchmarks.differential [--into FILE]       docs/_results/differential.md is its last

A small network in float64, the same tokens hidden: the package's terms against the papers' formulas
(templates/verify/formulas.py: row by row, dense). The worst row's difference, as a share of the
largest; the control is a term a hundredth larger.
"""

import argparse
import sys
import tempfile
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent
LAW = "every term is its formula"


def candidates() -> list[dict[str, str]]:
    """Noise, targets and loss of a spec, whether they fit or not."""
    from xlm_spec.compiler.components import values

    weights = [
        w if w != "elbo_clipped" else "{kind: elbo_clipped, largest: 2}" for w in values("weight")
    ]
    counts = [
        "count: bernoulli, schedule: cosine",
        "count: {kind: exact, least: 0}, schedule: cosine",
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
    plain = {"noise": "{process: none}", "target": "next_token", "loss": "cross_entropy"}
    return [*found, plain]


def rows() -> list[tuple[str, str, str, float, float]]:
    """(loss, weight, noise, difference, control) of every candidate that fits."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "templates")]
    from laws.holding import method, results
    from making import INSERTED, MASKED, PLAIN

    from xlm_spec.diagnostics import Failed

    found = []
    for parts in candidates():
        samplers = {"masked_tokens": MASKED, "next_token": PLAIN}
        base = samplers.get(parts["target"], INSERTED)
        with tempfile.TemporaryDirectory(prefix="xlm-spec-differential-") as place:
            try:
                m = method(Path(place), base, **parts)
            except Failed:
                continue  # the compiler says that they don't fit
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
    """A row of Markdown for each term."""
    told = ["| loss | weight | noise | difference | control |", "|---|---|---|---|---|"]
    unlike = {row[:3]: row for row in rows()}  # whether a text is whole is asked by several methods
    for loss, weight, noise, off, control in unlike.values():
        told.append(f"| `{loss}` | `{weight}` | {noise} | {off:.1e} | {control:.2g} |")
        print(told[-1], file=sys.stderr, flush=True)
    return "\n".join(told) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, metavar="FILE", help="where the table is written")
    args = parser.parse_args()
    found = table()
    print(found, end="")
    if args.into:
        note = "<!-- The table printed by `python -m benchmarks.differential --into FILE`. -->\n\n"
        args.into.write_text(note + found, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
