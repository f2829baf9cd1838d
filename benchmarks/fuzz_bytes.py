"""One process of `python -m benchmarks.fuzz --bytes`: libFuzzer, guided by coverage.

python -m benchmarks.fuzz_bytes FOUND CORPUS [options of libFuzzer]. Saves to FOUND one input for
each line of code that ends in a traceback, and slow inputs.
"""

import hashlib
import sys
import time
import traceback
from pathlib import Path

SLOW = 1.0  # seconds


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["xlm_spec", "ruamel.yaml", "jsonschema"]):
        from xlm_spec.compiler.emit.lower import lower
        from xlm_spec.compiler.frontend.load import parse
        from xlm_spec.compiler.frontend.validate import validate
        from xlm_spec.compiler.middle.check import check
        from xlm_spec.compiler.middle.compose import compose
        from xlm_spec.diagnostics import Failed

    found = Path(sys.argv.pop(1))

    def once(raw: bytes) -> None:
        begun = time.process_time()
        try:
            spec = validate(parse(raw))
            method = compose(spec)
            check(method)
            lower(method)
        except Failed as failed:
            if not all(d.text() for d in failed.diagnostics) or not failed.diagnostics:
                raise AssertionError("no diagnostic") from None
        if time.process_time() - begun > SLOW:
            keep(found, "slow", raw, raw)

    def guarded(raw: bytes) -> None:
        try:
            once(raw)
        except Exception as e:  # every exception is a bug
            frames = traceback.extract_tb(e.__traceback__)
            line = f"{type(e).__name__} {frames[-1].filename}:{frames[-1].lineno}"
            keep(found, type(e).__name__, line.encode(), raw)

    atheris.Setup(sys.argv, guarded)
    atheris.Fuzz()


def keep(folder: Path, kind: str, key: bytes, raw: bytes) -> None:
    """Saves the first input of each kind and key."""
    file = folder / f"{kind}-{hashlib.sha256(key).hexdigest()[:12]}"
    if not file.exists():
        file.write_bytes(raw)


if __name__ == "__main__":
    main()
