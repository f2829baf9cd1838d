"""One process of `python -m benchmarks.fuzz --bytes`: libFuzzer, guided by the compiler's branches.

python -m benchmarks.fuzz_bytes FOUND CORPUS [libFuzzer's options]. FOUND gets each input that ends
in a traceback, one for each place of the code, and each that takes long.
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
        from xlm_spec.compiler.check import check
        from xlm_spec.compiler.form.load import parse
        from xlm_spec.compiler.form.validate import validate
        from xlm_spec.compiler.lower import lower
        from xlm_spec.diagnostics import Failed

    found = Path(sys.argv.pop(1))

    def once(raw: bytes) -> None:
        begun = time.process_time()
        try:
            spec = validate(parse(raw))
            check(spec)
            lower(spec)
        except Failed as failed:
            if not all(d.text() for d in failed.diagnostics) or not failed.diagnostics:
                raise AssertionError("nothing is told") from None
        if time.process_time() - begun > SLOW:
            keep(found, "slow", raw, raw)

    def guarded(raw: bytes) -> None:
        try:
            once(raw)
        except Exception as e:  # every one of them is a find
            frames = traceback.extract_tb(e.__traceback__)
            place = f"{type(e).__name__} {frames[-1].filename}:{frames[-1].lineno}"
            keep(found, type(e).__name__, place.encode(), raw)

    atheris.Setup(sys.argv, guarded)
    atheris.Fuzz()


def keep(folder: Path, kind: str, key: bytes, raw: bytes) -> None:
    """Keeps the first input of its kind and key."""
    file = folder / f"{kind}-{hashlib.sha256(key).hexdigest()[:12]}"
    if not file.exists():
        file.write_bytes(raw)


if __name__ == "__main__":
    main()
