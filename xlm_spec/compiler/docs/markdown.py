"""Text as Markdown, for the reference pages and for editors."""

import re

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def sentence(text: str) -> str:
    """The text with a capital letter, unless it begins with a formula, and a full stop."""
    first = text[:1].upper() if re.match(r"[a-z-]+[ ,;:]", text) else text[:1]
    if not text or text.endswith("?"):
        return first + text[1:]
    return f"{first}{text[1:].rstrip('.')}."


def escaped(text: str) -> str:
    """The text with all Markdown except backticks escaped."""
    plain = re.compile(r"([\\*<|\[\]]|(?<!\w)_|_(?!\w))")
    parts = text.split("`")
    parts[::2] = [plain.sub(r"\\\1", p) for p in parts[::2]]
    parts[1::2] = [p.replace("|", "\\|") for p in parts[1::2]]
    return "`".join(parts)


def linked(text: str) -> str:
    """The text with arXiv numbers as links."""
    return ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
