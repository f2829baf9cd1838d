"""Adds the templates of every release, and the current ones, to the wheel as one git bundle.

`copier update` reads it like a repository. It is written without git and is reproducible.
`python hatch_build.py` writes it into a checkout, for packages that are built there.
"""

import os
import sys
import tempfile
from pathlib import Path

from dulwich.bundle import Bundle, write_bundle
from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import Blob, Commit, ShaFile, Tree
from dulwich.pack import pack_objects_to_data
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
BUNDLE = "xlm_spec/_templates.bundle"
AUTHOR, TIME = (
    b"xlm-spec <xlm-spec@localhost>",
    1577836800,
)  # constant, for reproducible bundles


class Packed:
    """Git objects in the form that dulwich writes into a bundle."""

    object_format = DEFAULT_OBJECT_FORMAT

    def __init__(self, objects: list[ShaFile]):
        count, unpacked = pack_objects_to_data([(o, None) for o in objects], deltify=False)
        self.count, self.unpacked = count, [*unpacked]

    def __len__(self) -> int:
        return self.count

    def iter_unpacked(self):
        return iter(self.unpacked)

    def close(self) -> None:
        """Required by dulwich; no file is open."""


def write(file: Path, versions: dict[str, dict[str, str]]) -> None:
    """Writes a commit and a tag for each version of {version: {path: text}}, oldest first."""
    objects: dict[bytes, ShaFile] = {}
    parents: list[bytes] = []
    references = {}
    for version, files in versions.items():
        commit = Commit()
        commit.tree, commit.parents = tree_of(files, objects), parents
        commit.author = commit.committer = AUTHOR
        commit.author_time = commit.commit_time = TIME
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = f"Templates of xlm-spec {version}\n".encode()
        objects[commit.id] = commit
        references[f"refs/tags/{version}".encode()] = commit.id
        parents = [commit.id]
    bundle = Bundle()
    bundle.version, bundle.capabilities, bundle.prerequisites = 2, {}, []
    bundle.references = references | {b"HEAD": parents[0]}
    bundle.pack_data = Packed([*objects.values()])
    with file.open("wb") as out, bundle:
        write_bundle(out, bundle)


def tree_of(files: dict[str, str], objects: dict[bytes, ShaFile]) -> bytes:
    """The id of a tree; adds the tree and its content to `objects`."""
    tree, below = Tree(), dict[str, dict[str, str]]()
    for path, text in sorted(files.items()):
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = text
            continue
        blob = Blob.from_string(text.encode())
        objects[blob.id] = blob
        tree.add(name.encode(), 0o100644, blob.id)
    for name, inner in below.items():
        tree.add(name.encode(), 0o040000, tree_of(inner, objects))
    objects[tree.id] = tree
    return tree.id


def versions() -> dict[str, dict[str, str]]:
    """The templates of every release, and the current ones if they are not released."""
    sys.path.insert(0, str(ROOT))
    from xlm_spec.compiler.emit import templates

    known = {v: templates.released(v) for v in templates.releases()}
    return known | {templates.version(): templates.live()}


class TemplatesHook(BuildHookInterface):
    """The build hook that hatchling calls for each wheel."""

    def initialize(self, version: str, build_data: dict) -> None:
        if version == "editable":
            write(ROOT / BUNDLE, versions())
            return
        handle, self.file = tempfile.mkstemp(suffix=".bundle")
        os.close(handle)
        write(Path(self.file), versions())
        build_data["force_include"][self.file] = BUNDLE

    def finalize(self, version: str, build_data: dict, artifact: str) -> None:
        if version != "editable":
            os.unlink(self.file)


if __name__ == "__main__":
    write(ROOT / BUNDLE, versions())
