"""A trained model from a run folder or a checkpoint, with the settings of its training."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config.consent import OUTPUTS, require_known_code
from xlm_spec.runtime.config.layers import known_settings
from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.data.tokenizers import restored
from xlm_spec.runtime.loading.layout import Layout, layout_of
from xlm_spec.runtime.machine.devices import Devices
from xlm_spec.runtime.machine.environment import use_threads
from xlm_spec.runtime.weights import checkpoint


@dataclass(frozen=True)
class TrainedModel:
    """A model to evaluate and sample from."""

    run: Run
    layout: Layout
    model: torch.nn.Module
    device: torch.device
    checkpoint: Path
    step: int | None  # training step, if the checkpoint stores it
    data: Mapping[str, str] = field(default_factory=dict)  # digests of the splits of training
    devices: Devices = Devices()  # that share the work


def load_model(package, data, train, args) -> TrainedModel:
    """The best checkpoint of `--run`, or `--checkpoint`; `--set` and `--task` change settings.

    `--checkpoint` is a file, the folder of an export, or hf:USER/NAME. `--run` may be a checkpoint
    of a run: the code that it names runs.
    """
    file = args.checkpoint or best_of(args.run)
    own = args.checkpoint is None
    content = checkpoint.load_own(file, "state_dict") if own else checkpoint.load(file)
    run = run_of(content, package, data, train, args)
    layout = layout_of(package, run.task, run.config.vocab, run.data.fill)
    differ = checkpoint.differences(content, run, file)
    report_differences(differ)
    model = build_model(run, layout.max_length)
    checkpoint.load_weights(model, content, file)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    use_threads(run.train.threads)
    other = any(line.startswith(("data.", "task")) for line in differ)  # reported above
    digests = {} if other else content.get("data", {})
    model, step = model.to(device).eval(), content.get("global_step")
    return TrainedModel(run, layout, model, device, file, step, digests)


def run_of(content: dict, package, data, train, args) -> Run:
    """The run of a checkpoint: its settings that this package has, and its tokenizer.

    Its teacher only with `--run`: the file of a stranger could name any checkpoint.
    """
    keys = ("task", "size", *(["teacher"] if args.checkpoint is None else []))
    stored = {k: v for k, v in content["xlm_spec"].items() if k in keys}
    settings = checkpoint.settings_of(content)
    if args.checkpoint is not None:
        settings = {k: v for k, v in settings.items() if k not in OUTPUTS}
    if args.checkpoint is not None and not content.get("exported"):
        require_known_code(settings | stored, package, data, args.task, args.sets, args.checkpoint)
    if content.get("exported") and args.task is None and tasks.is_file(str(stored["task"])):
        message = f"the export was trained on a task file, `{stored['task']}`, which it has not"
        raise Failed(Diagnostic("X501", message, f"pass the file: --task ./{stored['task']}"))
    known = known_settings(package, tasks.find(str(args.task or stored["task"]))).defaults
    stored |= {k: v for k, v in settings.items() if k in known}
    tokenizer = restored(content.get("words", {}))
    if content.get("exported"):
        require_lengths(stored, known, args.sets)
    sets, batch = [*args.sets], getattr(args, "batch", None)
    sets += [f"train.evaluate_batch={batch}"] if batch is not None else []
    given = (args.task, None, stored, sets)
    teacher = getattr(args, "teacher", None)
    return resolve_config(package, data, train, *given, tokenizer=tokenizer, teacher=teacher)


def require_lengths(stored: Mapping, known: Mapping, sets: Sequence[str]) -> None:
    """Raises Failed (X701) if an export lacks lengths, which its task would measure in its data.

    The data that an export names are those of its author: only `eval` and test prompts read them.
    """
    given = {s.partition("=")[0].strip() for s in sets}
    prompts = stored.get("data.prompt", known.get("data.prompt"))
    names = ["data.longest_answer", *(["data.longest_prompt"] if prompts else [])]
    missing = [n for n in names if n in known and n not in given and not stored.get(n)]
    if missing:
        message = f"the export has no {' and no '.join(missing)}"
        hint = f"pass them: {' '.join(f'--set {n}=N' for n in missing)}"
        raise Failed(Diagnostic("X701", message, hint))


def report_differences(differences: list[str]) -> None:
    for line in differences:
        print(f"differs from the checkpoint: {line}", file=sys.stderr)


def best_of(folder: Path) -> Path:
    """The best checkpoint of a run folder, else its last one; a file is that checkpoint.

    Raises Failed (X701).
    """
    if folder.is_file() or folder.suffix == ".ckpt":
        return folder
    files = [folder / "checkpoints" / f"{n}.ckpt" for n in ("best", "last")]
    file = next((f for f in files if f.exists()), None)
    if file is None:
        exists = folder.is_dir()
        message = "the run has no best.ckpt or last.ckpt" if exists else "the run does not exist"
        found = checkpoint.existing(folder / "checkpoints") or checkpoint.existing(folder)
        hint = found or "train this run first, or use --checkpoint"
        raise Failed(Diagnostic("X701", message, hint, str(folder)))
    return file


def sampler_of(run: Run, name: str | None) -> str:
    """The sampler of that name, or the first. Raises Failed (X703)."""
    known = list(run.package.SAMPLERS)
    if name is not None and name not in known:
        message = f"{run.name} has no sampler `{name}`"
        raise Failed(Diagnostic("X703", message, alternatives(name, known)))
    return name or known[0]
