"""Verifies wrong methods and their correct siblings; reports the laws that each breaks.

python -m benchmarks.wrong_methods [--into FILE]      docs/_results/wrong_methods.md is its output

The methods of custom components are those of tests/laws/wrong; the others are packages of the
shipped noise that replaces tokens, with one line changed (tests/laws/wrong_substitution).
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
WRONG = ROOT / "tests" / "laws" / "wrong"
Row = tuple[str, str, list[str]]  # the method, what it should be, the laws that it breaks


def failed(folder: Path) -> list[str]:
    """The laws that a package breaks."""
    from xlm_spec import laws

    return [*dict.fromkeys(r.law for r in laws.verify_package(folder) if r.broken)]


def of_files() -> Iterator[Row]:
    """The methods of custom components."""
    from test_wrong_methods import DETECTED

    from xlm_spec.compiler.build import build

    for spec in sorted(WRONG.glob("*.yaml")):
        with tempfile.TemporaryDirectory(prefix="xlm-spec-wrong-") as into:
            kind = "wrong" if spec.stem in DETECTED else "correct"
            yield spec.stem, kind, failed(build(spec, into).folder)


def of_packages() -> Iterator[Row]:
    """The packages of noise that replaces tokens: correct, then with one line changed."""
    from test_substitution import built
    from wrong_substitution import ALL, SPECS

    for spec in SPECS:
        with tempfile.TemporaryDirectory(prefix="xlm-spec-wrong-") as into:
            yield spec, "correct", failed(built(spec, Path(into)))
    for wrong in ALL:
        with tempfile.TemporaryDirectory(prefix="xlm-spec-wrong-") as into:
            folder = built(wrong.spec, Path(into))
            file = folder / "method" / f"{wrong.file}.py"
            file.write_text(file.read_text().replace(wrong.old, wrong.new))
            yield f"{wrong.spec}: {wrong.name}", "wrong", failed(folder)


def table() -> str:
    """A Markdown table with a row for each method, and the number of errors of the laws."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "laws"), str(ROOT / "templates")]
    import torch

    torch.set_num_threads(1)
    rows = ["| method | is | laws that it breaks |", "|---|---|---|"]
    missed, alarms = 0, 0
    for name, kind, broken in chain(of_files(), of_packages()):
        missed += kind == "wrong" and not broken
        alarms += kind == "correct" and bool(broken)
        rows.append(f"| {name} | {kind} | {'; '.join(broken)} |")
        print(rows[-1], file=sys.stderr, flush=True)
    return "\n".join([*rows, "", f"Not detected: {missed}. False alarms: {alarms}."]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, metavar="FILE", help="file for the table")
    args = parser.parse_args()
    found = table()
    print(found, end="")
    if args.into:
        note = "<!-- The table printed by `python -m benchmarks.wrong_methods --into FILE`. -->\n\n"
        args.into.write_text(note + found, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
