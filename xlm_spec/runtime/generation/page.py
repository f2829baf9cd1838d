"""`generate --html`: one self-contained page of trajectories, the samplers side by side."""

from html import escape
from pathlib import Path
from string import Template

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.evaluation.scoring import SampleResult
from xlm_spec.runtime.generation.player import SampledMethod, part, player
from xlm_spec.runtime.weights.load_model import TrainedModel


def write(file: Path, text: str, mode: str = "w") -> None:
    """Raises Failed (X704). Mode "a" with an empty text only tests that the file is writable."""
    try:
        with file.open(mode, encoding="utf-8", errors="xmlcharrefreplace", newline="\n") as out:
            out.write(text)
    except OSError as e:
        message = f"cannot write the page: {e.strerror}"
        raise Failed(Diagnostic("X704", message, file=str(file))) from None


def page(trained: TrainedModel, seed: int, results: dict[str, SampleResult]) -> str:
    """The page of the results of all samplers for the same prompts."""
    run = trained.run
    return Template(part("page.html")).substitute(
        title=escape(f"{run.name} on {run.task.name}"),
        facts=escape(" · ".join(facts(trained, seed))),
        style=part("page.css"),
        player=player([SampledMethod(run, results)]),
    )


def facts(trained: TrainedModel, seed: int) -> list[str]:
    weights = sum(p.numel() for p in trained.model.parameters())
    step = "" if trained.step is None else f" of step {trained.step}"
    name = trained.checkpoint.name
    return [f"{name}{step}", f"size {trained.run.size}", f"{weights:,} parameters", f"seed {seed}"]
