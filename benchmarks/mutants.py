"""Breaks packages one by one, and tells which law notices first.

python -m benchmarks.mutants [--into FILE]      docs/_results/mutants.md is what it wrote last
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def table() -> str:
    """A row of Markdown for each mutant."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "templates")]
    import torch
    from breaking import built, first_broken, patched
    from mutants import MUTANTS

    torch.set_num_threads(1)
    rows = [
        "| mutant | method | law that notices first | figure | bound |",
        "|---|---|---|---|---|",
    ]
    missed = []
    for mutant in MUTANTS:
        with tempfile.TemporaryDirectory(prefix="xlm-spec-mutant-") as place:
            folder = built(mutant.spec, Path(place))
            patched(mutant, folder)
            found = first_broken(folder)
        if found is None:
            missed.append(mutant.name)
            continue
        f = found.figure
        told = (f"{f.value:.2g}", f"{f.most:.2g}") if f else (found.why.split(":")[0], "")
        rows.append(f"| {mutant.name} | {mutant.spec} | {found.law} | {told[0]} | {told[1]} |")
        print(rows[-1], file=sys.stderr, flush=True)
    if missed:
        raise SystemExit(f"not noticed: {', '.join(missed)}")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, metavar="FILE", help="where the table is written")
    args = parser.parse_args()
    found = table()
    print(found, end="")
    if args.into:
        note = "<!-- The table printed by `python -m benchmarks.mutants --into FILE`. -->\n\n"
        args.into.write_text(note + found, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
