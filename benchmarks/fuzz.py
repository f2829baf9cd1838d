"""Fuzzing at full scale; a bounded share of both runs in the tests.

python -m benchmarks.fuzz --specs N      N drawn specs that are accepted: built, trained, sampled
python -m benchmarks.fuzz --components N N components of an author's own, with a few things wrong
python -m benchmarks.fuzz --bytes M      M minutes of bytes, guided by coverage; needs atheris
"""

import argparse
import collections
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
    """Prints inputs, inputs a second, branches, how many of them are late, and what was found."""
    with tempfile.TemporaryDirectory(prefix="xlm-spec-fuzz-") as made:
        found, corpus, words = (Path(made) / n for n in ("found", "corpus", "words"))
        found.mkdir()
        corpus.mkdir()
        for file in [*(ROOT / "specs").glob("*.yaml"), *(ROOT / "tests/bad").glob("*.yaml")]:
            (corpus / file.name).write_bytes(file.read_bytes())
        words.write_text("".join(f'"{entry(w)}"\n' for w in vocabulary()))
        limits = [f"-max_total_time={minutes * 60:.0f}", "-max_len=4096", "-rss_limit_mb=2048"]
        command = [sys.executable, "-m", "benchmarks.fuzz_bytes", found, corpus, *limits]
        command += [f"-dict={words}", f"-artifact_prefix={found}/", "-timeout=60"]
        states = watched(list(map(str, command)))
        late = next(cov for at, _, cov in states if at >= states[-1][0] * 5 / 6)
        at, inputs, cov = states[-1]
        print(f"{inputs} inputs in {at:.0f} s, {inputs / at:.0f} a second")
        print(f"{cov} branches, {cov - late} of them new in the last sixth")
        print(f"{len(list(found.iterdir()))} found")
        for file in sorted(found.iterdir()):
            print(f"{file.name}: {file.read_bytes()!r}")


def vocabulary() -> list[str]:
    """Words of the language, and signs of YAML."""
    from xlm_spec.compiler.axes import AXES, cards, tasks

    known = [(a, c) for a in AXES for c in cards(a).values()]
    words = {w for a, c in known for w in (a.key, c.value, *(p.name for p in c.parameters))}
    words |= {w for name, options in tasks().items() for w in (name, *(p.name for p in options))}
    return [*sorted(words), "kind", "xlm_spec: 1", *SIGNS]


def entry(word: str) -> str:
    """A word as libFuzzer's dictionaries have it."""
    return "".join(f"\\x{byte:02X}" for byte in word.encode())


def watched(command: list[str]) -> list[tuple[float, int, int]]:
    """Runs libFuzzer; seconds, inputs and branches, each time that it tells them."""
    begun, states, last = time.time(), [(0.0, 0, 0)], collections.deque[str](maxlen=20)
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace", cwd=ROOT)
    assert run.stderr
    for line in run.stderr:
        last.append(line)
        told = STATE.match(line)
        if told:
            states.append((time.time() - begun, int(told[1]), int(told[2])))
            if line.split()[1] in ("pulse", "DONE"):
                print(line.rstrip(), file=sys.stderr, flush=True)
    if run.wait() or len(states) == 1:
        raise SystemExit("".join(last))
    return states


def fuzz_specs(count: int, seed: int) -> None:
    """Prints how many drawn specs were refused, and with what; builds and runs the others."""
    sys.path.insert(0, str(ROOT / "tests"))
    import torch
    from making import checked, package, steps_and_samples
    from random_specs import drawn, whole

    from xlm_spec.diagnostics import Failed

    torch.set_num_threads(1)
    rng, begun = random.Random(seed), time.time()
    refused, worked, crashed = collections.Counter[str](), 0, 0
    while worked + crashed < count:
        parts = drawn(rng, rng.choice([0, 0, 0.02, 0.1]), most=rng.choice([6, 6, 40]))
        try:
            checked(whole(parts, "method"))
        except Failed as failed:
            refused[failed.diagnostics[0].code] += 1
            continue
        with tempfile.TemporaryDirectory(prefix="xlm-spec-fuzz-") as place:
            try:
                steps_and_samples(package(Path(place), parts))
                worked += 1
            except Exception:
                crashed += 1
                print(whole(parts, "method"), traceback.format_exc(), sep="\n", flush=True)
        for name in [m for m in sys.modules if m.startswith("method_")]:
            del sys.modules[name]
        if (worked + crashed) % 100 == 0:
            print(f"{worked} worked, {crashed} crashed", file=sys.stderr, flush=True)
    told = ", ".join(f"{code} {n}" for code, n in sorted(refused.items()))
    print(f"{count + refused.total()} drawn in {time.time() - begun:.0f} s, seed {seed}")
    print(f"{refused.total()} refused: {told}")
    print(f"{worked} built, took a step and sampled; {crashed} crashed")


def fuzz_components(count: int, seed: int) -> None:
    """Prints how many components were taken, refused, and ended in anything but a diagnostic."""
    sys.path.insert(0, str(ROOT / "tests"))
    from random_components import shipped, spoiled

    from xlm_spec.compiler.plan import plan_of
    from xlm_spec.compiler.render import render
    from xlm_spec.diagnostics import Failed

    rng, begun, known = random.Random(seed), time.time(), shipped()
    refused, accepted, crashed = collections.Counter[str](), 0, 0
    with tempfile.TemporaryDirectory(prefix="xlm-spec-fuzz-") as place:
        spec, mine = Path(place, "spec.yaml"), Path(place, "mine.py")
        for _ in range(count):
            source, text = rng.choice(known)
            mine.write_text(spoiled(source, rng), encoding="utf-8")
            spec.write_text(text, encoding="utf-8")
            try:
                render(plan_of(spec))
                accepted += 1
            except Failed as failed:
                refused[failed.diagnostics[0].code] += 1
            except Exception:
                crashed += 1
                print(text, mine.read_text(encoding="utf-8"), traceback.format_exc(), sep="\n")
    told = ", ".join(f"{code} {n}" for code, n in sorted(refused.items()))
    print(f"{count} components in {time.time() - begun:.0f} s, seed {seed}: {accepted} taken")
    print(f"{refused.total()} refused: {told}")
    print(f"{crashed} crashed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--specs", type=int, metavar="N", help="of drawn specs that are accepted")
    parser.add_argument("--components", type=int, metavar="N", help="of drawn components")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument("--bytes", type=float, metavar="MINUTES", help="of coverage-guided bytes")
    args = parser.parse_args()
    if args.specs:
        fuzz_specs(args.specs, args.seed)
    if args.components:
        fuzz_components(args.components, args.seed)
    if args.bytes:
        fuzz_bytes(args.bytes)


if __name__ == "__main__":
    main()
