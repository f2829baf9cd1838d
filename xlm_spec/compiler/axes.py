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
COUNT = Axis(
    "noise.count", "count", "how many free tokens are hidden, and which", "chosen", "bernoulli"
)
TARGET = Axis("target", "target", "what the network is asked for, and where")
LOSS = Axis("loss", "loss", "the terms of the objective, each with a weight")
WEIGHT = Axis("loss.weight", "weight", "what a term's nats are multiplied by", default="one")
SAMPLER = Axis("sampler", "sampler", "how text is drawn from the network")
SITES = Axis("sampler.sites", "sites", "which sites go first", "sites")
TOKENS = Axis("sampler.tokens", "tokens", "how a token is drawn", "draw", "temperature")
REMASKING = Axis(
    "sampler.remasking", "remasking", "which written tokens are masked again", "remasking", "cap"
)
OUTER = Axis("sampler.outer", "outer", "a loop around the sampler's own")
BACKBONE = Axis("backbone", "backbone", "the network")

NOISE = (PROCESS, SCHEDULE, TIME, COUNT)
RULES = (SITES, TOKENS, REMASKING)  # objects that a sampler is given
AXES = (*NOISE, TARGET, LOSS, WEIGHT, SAMPLER, *RULES, OUTER, BACKBONE)

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
