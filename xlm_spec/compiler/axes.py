"""The axes of the language: where each stands in a spec, and where its components live."""

from dataclasses import dataclass

from xlm_spec.compiler.components import HERE, Component, component, read, values


@dataclass(frozen=True)
class Axis:
    """One choice that a spec makes. `default` is taken where a component reads `wire`."""

    path: str  # in the spec
    folder: str  # of its components
    meaning: str
    wire: str = ""  # under which other components read what it makes
    default: str = ""

    @property
    def key(self) -> str:
        return self.path.rpartition(".")[2]


PROCESS = Axis("noise.process", "process", "how clean text x_0 becomes x_t")
SCHEDULE = Axis(
    "noise.schedule", "schedule", "alpha(t), the share that survives", "schedule", "linear"
)
TIME = Axis("noise.time", "time", "how the times of training are drawn", "t", "stratified")
TARGET = Axis("target", "target", "what the network is asked for, and where")
LOSS = Axis("loss", "loss", "the terms of the objective, each with a weight")
SAMPLER = Axis("sampler", "sampler", "how text is drawn from the network")
SITES = Axis("sampler.sites", "sites", "which sites go first", "sites")
TOKENS = Axis("sampler.tokens", "tokens", "how a token is drawn", "draw", "temperature")
BACKBONE = Axis("backbone", "backbone", "the network")

AXES = (PROCESS, SCHEDULE, TIME, TARGET, LOSS, SAMPLER, SITES, TOKENS, BACKBONE)
NOISE = (PROCESS, SCHEDULE, TIME)
RULES = (SITES, TOKENS)  # objects that a sampler is given

WEIGHTS = {
    "one": "every nat counts the same",
    "elbo": "the known rate of the target's events, which makes the term the negative bound",
}

Cards = dict[str, Component]


def cards(axis: Axis) -> Cards:
    """The components of an axis by value."""
    return {v: component(axis.folder, v) for v in values(axis.folder)}


def settings() -> Component:
    """The runtime's own settings (`data`, `train`), read like a component."""
    source = HERE / "runtime" / "settings.py"
    return read(source.read_text(encoding="utf-8"), "runtime", "settings")


def tasks() -> list[str]:
    """The tasks that ship, from their files."""
    folder = HERE / "runtime" / "tasks"
    found = (p.stem for p in folder.glob("*.py"))
    return sorted(t for t in found if t not in ("__init__", "task", "star"))
