"""Kills a build before each of its writes in turn, and builds again.

`python tests/killed_builds.py FOLDER` reads FOLDER/package and FOLDER/spec.yaml.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from packages import content

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed

WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}
NOTE = "# written after the kill\n"


def is_write(event: str, args: tuple) -> bool:
    if event == "open":
        mode, flags = args[1:]
        return bool(flags & (os.O_WRONLY | os.O_RDWR)) or bool(mode and set(mode) & set("wax+"))
    return event in WRITES


def killed(spec: Path, into: Path, at: int) -> bool:
    """A build in a process that dies before its write number `at`. Did it get that far?"""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, args: tuple) -> None:
            nonlocal seen
            if is_write(event, args):
                seen += 1
                if seen > at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        built(spec, into)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def built(spec: Path, into: Path) -> int:
    """The exit code."""
    try:
        return 3 if build(spec, into).decisions else 0
    except Failed as failed:
        return failed.exit_code


def main(folder: Path) -> None:
    spec, package = folder / "spec.yaml", folder / "package"

    def fresh() -> Path:
        shutil.rmtree(folder / "into", ignore_errors=True)
        shutil.copytree(package, folder / "into" / "method")
        return folder / "into"

    into = fresh()
    code = built(spec, into)
    whole = content(into / "method")
    begun = content(package)
    at, wrong = 0, []
    between = set()
    while killed(spec, fresh(), at):
        after = content(into / "method")
        between.add("as before" if without_state(after) == without_state(begun) else "half-way")
        again = built(spec, into)
        if (again, content(into / "method")) != (code, whole):
            wrong.append([at, "another result"])
        killed(spec, fresh(), at)
        mine = into / "method" / "method" / "objective.py"
        mine.write_text(mine.read_text() + NOTE)
        loss = into / "method" / "method" / "config.py"
        text = loss.read_text() if loss.exists() else ""
        loss.write_text(NOTE + text)
        built(spec, into)
        if NOTE not in mine.read_text() or not loss.read_text().startswith((NOTE, "<<<")):
            wrong.append([at, "lost"])
        at += 1
    print(json.dumps({"kills": at, "code": code, "wrong": wrong, "between": sorted(between)}))


def without_state(files: dict[str, bytes]) -> dict[str, bytes]:
    return {p: t for p, t in files.items() if not p.startswith(".xlm/")}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
