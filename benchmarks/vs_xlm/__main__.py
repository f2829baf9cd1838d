"""xlm-spec against the peer (xlm-core with xlm-models), measured alternately at equal size.

python -m benchmarks.vs_xlm [--rounds 3] [--rows training text sampling starts helps typos]
                            [--folder DIR] [--into FILE]

The first run installs the peer into a virtual environment (2 GB, some minutes); --folder keeps it.
Ratios are computed per round; above one means that xlm-spec is better.
"""

import argparse
from pathlib import Path

from benchmarks.runs import build, workplace
from benchmarks.vs_xlm import peer, rows, setting, starts
from xlm_spec.workbench.figures import markdown, table
from xlm_spec.workbench.machine import machine

ROWS = {
    "training": rows.training,
    "text": rows.text,
    "sampling": rows.sampling,
    "starts": starts.starts,
    "helps": starts.helps,
    "typos": starts.typos,
}


def main() -> None:
    args = arguments()
    with workplace(args.folder) as place:
        commands = peer.environment(place)
        build(place, *setting.METHODS)
        peer.write_data(place)
        bench = rows.Bench(place, commands, args.rounds)
        found = []
        for name in args.rows:
            made = [row.cells for row in ROWS[name](bench)]
            print(table(made) + "\n", flush=True)
            found += made
        message = f"{machine(threads=1)}\npeer: {peer.versions(commands)}; {args.rounds} rounds"
    print(f"median (lowest to highest); width {setting.WIDTH}, {setting.LAYERS} layers\n{message}")
    if args.into:
        args.into.write_text(f"{markdown(found)}\n{message}\n")


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    p.add_argument("--folder", help="folder of the peer's environment, which is reused")
    p.add_argument("--into", type=Path, help="file for the table as Markdown")
    return p.parse_args()


if __name__ == "__main__":
    main()
