"""Texts that cost much to read, each about as large as a spec may be, and what they cost.

python tests/costly_specs.py prints the largest memory of a process that reads them all, in MiB.
"""

import resource
from pathlib import Path

from xlm_spec.compiler.emit.lower import lower
from xlm_spec.compiler.frontend.load import MOST_BYTES, MOST_VALUES, parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.diagnostics import Failed

SPEC = (Path(__file__).parent.parent / "specs" / "mdlm.yaml").read_text(encoding="utf-8")
BEFORE, _, AFTER = SPEC.partition("sampler:")
AFTER = AFTER[AFTER.index("\nbackbone") :]


def samplers(value: str, count: int) -> str:
    return f"{BEFORE}sampler:\n" + "".join(f"  s{i}: {value}\n" for i in range(count)) + AFTER


def filled(part: str) -> str:
    return part * ((MOST_BYTES - 1) // len(part))


MUCH = {
    **{repr(part): filled(part) for part in ("[", "{", "{a: ", "- ", "? ", ": ", ":", "[]", '"\\')},
    **{repr(part): filled(part) for part in ("- a\n", "a: b\n", "---\n", "\n", "#\n", " ", "\t")},
    **{
        repr(part): filled(part) for part in ("!", "%", "&", "*", "x", "a b ", "%YAML 1.2\n", "|\n")
    },
    "numbers": f"[{filled('1,')[:-2]}]",
    "keys": "".join(f"k{i}: b\n" for i in range(MOST_BYTES // 9)),
    "anchors": "".join(f"k{i}: &a{i} b\n" for i in range(MOST_BYTES // 16)),
    "text of many lines": "a: |\n" + filled("  x\n")[4:],
    "quoted lines": f'a: "{filled("x" + chr(10) + " ")[5:]}"',
    "lines without quotes": f"a: {filled('x' + chr(10) + ' ')[5:]}",
    "much": "x" * (1 << 20),
    "a long title": SPEC.replace("title: ", f"title: {'x' * (MOST_BYTES - 2000)} "),
    "a long word": SPEC.replace("masked_tokens", "m" * (MOST_BYTES - 2000)),
    "a long name": SPEC.replace("mdlm", "m" * (MOST_BYTES - 2000), 1),
    "a long task": SPEC.replace("star_easy", "s" * (MOST_BYTES - 2000)),
    "a long number": SPEC.replace("12", "1" * (MOST_BYTES // 2 - 2000)),
    "many samplers": samplers("first_hitting", MOST_VALUES - 100),
    "many wrong samplers": samplers("first_hittin", MOST_VALUES - 100),
    "many wrong numbers": samplers("{kind: ancestral, steps: 0}", MOST_VALUES // 3 - 100),
    "many unknown keys": SPEC + "".join(f"k{i}: 1\n" for i in range(MOST_VALUES - 100)),
    "many targets": SPEC.replace(
        "masked_tokens", f"[{'masked_tokens, ' * (MOST_VALUES - 100)}]", 1
    ),
    "aliases": "a0: &a0 [1,1]\n"
    + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)),
    "recursion": "a: &a [*a, *a, *a]\n",
}


def told(text: str) -> list[str]:
    """What a person is told of a text; nothing of a spec that passes."""
    try:
        spec = validate(parse(text.encode()))
        method = compose(spec)
        check(method)
        lower(method)
    except Failed as failed:
        return [d.text() for d in failed.diagnostics]
    return []


def peak() -> float:
    """The largest memory of this process, in MiB; without what its parent had, where told."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [x for x in status.read_text().splitlines() if x.startswith("VmHWM")]
        return int(line.split()[1]) / (1 << 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # bytes on a Mac


if __name__ == "__main__":
    for text in MUCH.values():
        told(text)
    print(peak())
