"""Random histories of a package at full scale; the tests run 300.

python -m benchmarks.edits N [--seed S]   edits, spec changes, upgrades, and the merges of builds
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "count", type=int, metavar="N", help="number of histories (one to three rounds)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed")
    args = parser.parse_args()
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "templates")]
    from random_edits import drawn

    begun = time.time()
    with tempfile.TemporaryDirectory(prefix="xlm-spec-edits-") as place:
        seen = drawn(args.count, Path(place) / "method", seed=args.seed)
    print(f"{args.count} histories in {time.time() - begun:.0f} s, seed {args.seed}: nothing lost")
    print(", ".join(f"{did.value} {n}" for did, n in sorted(seen.items(), key=lambda x: -x[1])))


if __name__ == "__main__":
    main()
