"""Copies of shipped components under other names, as components of a spec's author."""

from methods import PLAIN, ROOT, text


def shipped(folder: str, value: str, name: str) -> str:
    """A component that ships, under another name."""
    source = (ROOT / "templates" / "components" / folder / f"{value}.py").read_text()
    return source.replace(f"def {value}(", f"def {name}(")


def named(folder, axis: str, value: str, old: str = "", new: str = "", name: str = "mine"):
    """A spec with a copy of a shipped component beside it, in which some text is another."""
    source = shipped(axis, value, name)
    assert old in source
    (folder / f"{name}.py").write_text(source.replace(old, new, 1))
    written = f"./{name}.py"
    spec = {
        "target": text(PLAIN, target=written),
        "loss": text(loss=f"[{written}: {{weight: elbo}}]"),
        "weight": text(loss=f"[cross_entropy: {{weight: {written}}}]"),
        "backbone": text(backbone=written),
        "sampler": text(sampler=written),
        "time": text(noise=f"{{process: mask, time: {written}}}"),
        "process": text(noise=f"{{process: {written}}}"),
    }[axis]
    (folder / "spec.yaml").write_text(spec)
    return folder / "spec.yaml"
