"""`generate --html`: one page of trajectories, the samplers side by side; it needs nothing else."""

from html import escape
from pathlib import Path
from string import Template

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.loaded import Loaded
from xlm_spec.runtime.player import Shown, part, player
from xlm_spec.runtime.scoring import Drawn


def write(file: Path, text: str, mode: str = "w") -> None:
    """Raises Failed (X704). In mode "a" an empty text changes nothing, yet fails if any would."""
    try:
        with file.open(mode, encoding="utf-8", errors="xmlcharrefreplace", newline="\n") as out:
            out.write(text)
    except OSError as e:
        told = f"cannot write the page: {e.strerror}"
        raise Failed(Diagnostic("X704", told, file=str(file))) from None


def page(loaded: Loaded, seed: int, drawn: dict[str, Drawn]) -> str:
    """The page of what each sampler drew for the same prompts."""
    run = loaded.run
    return Template(part("page.html")).substitute(
        title=escape(f"{run.name} on {run.task.name}"),
        facts=escape(" · ".join(facts(loaded, seed))),
        style=part("page.css"),
        player=player([Shown(run, drawn)]),
    )


def facts(loaded: Loaded, seed: int) -> list[str]:
    weights = sum(p.numel() for p in loaded.model.parameters())
    step = "" if loaded.step is None else f" of step {loaded.step}"
    name = loaded.checkpoint.name
    return [f"{name}{step}", f"size {loaded.run.size}", f"{weights:,} parameters", f"seed {seed}"]
