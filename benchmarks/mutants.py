"""Breaks packages one by one, and reports the first law that fails for each.

python -m benchmarks.mutants [--into FILE]      docs/_results/mutants.md is its output
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def table() -> str:
    """A Markdown table with a row for each mutant."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "templates")]
    import torch
    from broken_packages import built, first_broken, patched
    from mutants import MUTANTS

    torch.set_num_threads(1)
    rows = [
        "| mutant | method | first law that detects it | figure | bound |",
        "|---|---|---|---|---|",
    ]
    undetected = []
    for mutant in MUTANTS:
        with tempfile.TemporaryDirectory(prefix="xlm-spec-mutant-") as temporary:
            folder = built(mutant.spec, Path(temporary))
            patched(mutant, folder)
            result = first_broken(folder)
        if result is None:
            undetected.append(mutant.name)
            continue
        f = result.figure
        columns = (f"{f.value:.2g}", f"{f.most:.2g}") if f else (result.why.split(":")[0], "")
        rows.append(
            f"| {mutant.name} | {mutant.spec} | {result.law} | {columns[0]} | {columns[1]} |"
        )
        print(rows[-1], file=sys.stderr, flush=True)
    if undetected:
        raise SystemExit(f"not detected: {', '.join(undetected)}")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, metavar="FILE", help="file for the table")
    args = parser.parse_args()
    found = table()
    print(found, end="")
    if args.into:
        note = "<!-- The table printed by `python -m benchmarks.mutants --into FILE`. -->\n\n"
        args.into.write_text(note + found, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
