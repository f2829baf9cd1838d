"""A link in the home folder through which plain `copier update` finds the templates."""

import os
import re
from contextlib import suppress
from pathlib import Path

BUNDLE = "~/.local/share/xlm-spec/templates.bundle"  # the path that packages name
OURS = Path(__file__).parent.parent / "_templates.bundle"
TAG = re.compile(rb"^[0-9a-f]{40} refs/tags/(.+)$", re.M)


def keep() -> None:
    """Points the link at our bundle, unless its current bundle holds all of our versions.

    Two versions of xlm-spec can then be used in turn: the bundle of the newer one holds the
    templates of the older one. If the home folder is not writable, nothing happens: only
    `copier update` needs the link.
    """
    with suppress(OSError, RuntimeError):  # no home folder, or not writable
        link = Path(BUNDLE).expanduser()
        if link.is_symlink() and os.readlink(link) == str(OURS):
            return
        if not OURS.exists() or versions(OURS) <= versions(link):
            return
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary = link.with_name(f".{link.name}.{os.getpid()}")
        try:
            temporary.symlink_to(OURS)
        except OSError:  # links need a privilege on Windows
            temporary.write_bytes(OURS.read_bytes())
        try:
            os.replace(temporary, link)
        except OSError:
            temporary.unlink()


def versions(bundle: Path) -> set[bytes]:
    """The tags of a bundle; empty if there is no bundle."""
    try:
        head, _, _ = bundle.read_bytes().partition(b"\n\n")
    except OSError:
        return set()
    return set(TAG.findall(head)) if head.startswith(b"# v2 git bundle\n") else set()
