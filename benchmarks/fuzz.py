"""Fuzzing at full scale; the tests run a bounded part.

python -m benchmarks.fuzz --specs N      builds, trains and samples N valid random specs
python -m benchmarks.fuzz --components N checks N custom components with random mistakes
python -m benchmarks.fuzz --bytes M      M minutes of coverage-guided bytes; requires atheris
"""

import argparse
import collections
import importlib
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parent.parent
STATE = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+).*?(?:exec/s: (\d+))?")
SIGNS = [": ", "- ", "# ", "{", "}", "[", "]", "&a ", "*a", "!!str ", "|\n", ">-\n", "? ", "<<: "]
SIGNS += ["---\n", "...\n", "%YAML 1.2\n", "'", '"', "\\u", "\\x", "\t", "\r\n", "\ufeff", "1e-4"]


def fuzz_bytes(minutes: float) -> None:
    """Prints inputs, inputs per second, branches, late branches and the crashing inputs."""
    with tempfile.TemporaryDirectory(prefix="xlm-spec-fuzz-") as made:
        found, corpus, words = (Path(made) / n for n in ("found", "corpus", "words"))
        found.mkdir()
        corpus.mkdir()
        for number, text in enumerate(specs()):
            (corpus / f"{number}.yaml").write_text(text, encoding="utf-8")
        words.write_text("".join(f'"{entry(w)}"\n' for w in vocabulary()))
        limits = [f"-max_total_time={minutes * 60:.0f}", "-max_len=4096", "-rss_limit_mb=2048"]
        command = [sys.executable, "-m", "benchmarks.fuzz_bytes", found, corpus, *limits]
        command += [f"-dict={words}", f"-artifact_prefix={found}/", "-timeout=60"]
        states = watched(list(map(str, command)))
        late = next(cov for at, _, cov in states if at >= states[-1][0] * 5 / 6)
        at, inputs, cov = states[-1]
        print(f"{inputs} inputs in {at:.0f} s, {inputs / at:.0f} per second")
        print(f"{cov} branches, {cov - late} of them new in the last sixth")
        print(f"{len(list(found.iterdir()))} found")
        for file in sorted(found.iterdir()):
            print(f"{file.name}: {file.read_bytes()!r}")


def specs() -> list[str]:
    """Those that ship, and those that are wrong."""
    sys.path.insert(0, str(ROOT / "tests"))
    from bad_specs import bad_specs

    good = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "specs").glob("*.yaml"))]
    return good + [case.text for case in bad_specs()]


def vocabulary() -> list[str]:
    """The words of the language and the signs of YAML."""
    from xlm_spec.compiler.axes import AXES, components_of
    from xlm_spec.compiler.runtime_settings import tasks

    known = [(a, c) for a in AXES for c in components_of(a).values()]
    words = {w for a, c in known for w in (a.key, c.value, *(p.name for p in c.parameters))}
    words |= {w for name, options in tasks().items() for w in (name, *(p.name for p in options))}
    return [*sorted(words), "kind", "xlm_spec: 1", *SIGNS]


def entry(word: str) -> str:
    """A word in the format of libFuzzer dictionaries."""
    return "".join(f"\\x{byte:02X}" for byte in word.encode())


def watched(command: list[str]) -> list[tuple[float, int, int]]:
    """Runs libFuzzer and returns (seconds, inputs, branches) of each progress line."""
    begun, states, last = time.time(), [(0.0, 0, 0)], collections.deque[str](maxlen=20)
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace", cwd=ROOT)
    assert run.stderr
    for line in run.stderr:
        last.append(line)
        state = STATE.match(line)
        if state:
            states.append((time.time() - begun, int(state[1]), int(state[2])))
            if line.split()[1] in ("pulse", "DONE"):
                print(line.rstrip(), file=sys.stderr, flush=True)
    if run.wait() or len(states) == 1:
        raise SystemExit("".join(last))
    return states


def fuzz_specs(count: int, seed: int) -> None:
    """Prints how many random specs are rejected, by code; builds and runs the others."""
    sys.path.insert(0, str(ROOT / "tests"))
    import torch
    from methods import checked, package, steps_and_samples
    from random_files import copy_files
    from random_specs import drawn, whole

    from xlm_spec.diagnostics import Failed

    torch.set_num_threads(1)
    rng, begun = random.Random(seed), time.time()
    rejected, worked, crashed = collections.Counter[str](), 0, 0
    with tempfile.TemporaryDirectory(prefix="xlm-spec-fuzz-") as place:
        beside = copy_files(Path(place)) / "spec.yaml"
        while worked + crashed < count:
            parts = drawn(rng, rng.choice([0, 0, 0.02, 0.1]), most=rng.choice([6, 6, 40]))
            try:
                checked(whole(parts, "method"), beside)
                steps_and_samples(package(Path(place), parts))
                worked += 1
            except Failed as failed:
                rejected[failed.diagnostics[0].code] += 1
                continue
            except Exception:
                crashed += 1
                print(whole(parts, "method"), traceback.format_exc(), sep="\n", flush=True)
            for name in [m for m in sys.modules if m.startswith("method_")]:
                del sys.modules[name]
            if (worked + crashed) % 100 == 0:
                print(f"{worked} worked, {crashed} crashed", file=sys.stderr, flush=True)
    codes = ", ".join(f"{code} {n}" for code, n in sorted(rejected.items()))
    print(f"{count + rejected.total()} drawn in {time.time() - begun:.0f} s, seed {seed}")
    print(f"{rejected.total()} rejected: {codes}")
    print(f"{worked} built, took a step and sampled; {crashed} crashed")


def fuzz_components(count: int, seed: int) -> None:
    """Prints the numbers of accepted and rejected components, and of crashes."""
    sys.path.insert(0, str(ROOT / "tests"))
    from random_components import copy_beside, shipped, spoiled

    from xlm_spec.compiler.build import build
    from xlm_spec.diagnostics import Failed

    sys.dont_write_bytecode = True  # packages of one name, of one second
    rng, begun, known = random.Random(seed), time.time(), shipped()
    rejected, accepted, crashed = collections.Counter[str](), 0, 0
    with tempfile.TemporaryDirectory(prefix="xlm-spec-fuzz-") as place:
        spec, mine = Path(place, "spec.yaml"), Path(place, "mine.py")
        copy_beside(Path(place))
        for _ in range(count):
            source, text = rng.choice(known)
            mine.write_text(spoiled(source, rng), encoding="utf-8")
            spec.write_text(text, encoding="utf-8")
            try:
                imported(build(spec, Path(place, "out")).folder)
                accepted += 1
            except Failed as failed:
                rejected[failed.diagnostics[0].code] += 1
            except (Exception, SystemExit):
                crashed += 1
                print(text, mine.read_text(encoding="utf-8"), traceback.format_exc(), sep="\n")
    codes = ", ".join(f"{code} {n}" for code, n in sorted(rejected.items()))
    print(f"{count} components in {time.time() - begun:.0f} s, seed {seed}: {accepted} accepted")
    print(f"{rejected.total()} rejected: {codes}")
    print(f"{crashed} crashed")


def imported(folder: Path) -> None:
    """Imports all modules of the package of a folder, then forgets them."""
    name = next(p.parent.name for p in folder.glob("*/__init__.py"))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        for file in sorted(folder.glob(f"{name}/*.py")):
            importlib.import_module(f"{name}.{file.stem}" if file.stem != "__init__" else name)
    finally:
        sys.path.remove(str(folder))
        for module in [m for m in sys.modules if m.partition(".")[0] == name]:
            del sys.modules[module]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--specs", type=int, metavar="N", help="number of valid random specs")
    parser.add_argument("--components", type=int, metavar="N", help="number of random components")
    parser.add_argument("--seed", type=int, default=0, help="random seed")
    parser.add_argument(
        "--bytes", type=float, metavar="MINUTES", help="minutes of coverage-guided bytes"
    )
    args = parser.parse_args()
    if args.specs:
        fuzz_specs(args.specs, args.seed)
    if args.components:
        fuzz_components(args.components, args.seed)
    if args.bytes:
        fuzz_bytes(args.bytes)


if __name__ == "__main__":
    main()
