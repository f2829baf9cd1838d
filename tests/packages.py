"""What tests look at in a package's folder."""

from pathlib import Path


def content(folder: Path) -> dict[str, bytes]:
    """Every file, by its path."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def edit(file: Path, old: str, new: str) -> None:
    """Replaces a text that is there once at least."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
