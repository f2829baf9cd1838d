"""The model card of an export: README.md, with the metadata that the Hugging Face hub reads."""

import json
import re
import shlex
from contextlib import suppress
from keyword import iskeyword
from pathlib import Path
from typing import Any

import yaml

from xlm_spec import __version__
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh.verified_section import BEGIN, END, is_outdated
from xlm_spec.runtime.config import choices
from xlm_spec.runtime.config.overrides import flat
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.tasks import is_file
from xlm_spec.runtime.training import history
from xlm_spec.runtime.weights.exported import published_spec, stored
from xlm_spec.runtime.weights.load_model import TrainedModel

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
BUDGET = ("batch", "accumulate", "lr", "warmup", "ema", "seed", "precision")  # of train.*


def model_card(trained: TrainedModel, name: str) -> str:
    """Use, spec, verified laws, budget, data, figures of the run and citation."""
    run = trained.run
    home = Path(run.package.__file__).resolve().parent.parent
    source = published_spec(home)
    parts = [
        metadata(run.name),
        f"# {name}",
        f"{first_line(run.package.__doc__)}, trained on the task `{run.task.name}`. xlm-spec "
        f"{__version__} compiled its code from the spec below.",
        "## Use",
        use(trained, name),
        "## Method",
        method(run, source),
        "## Verified laws",
        laws(home),
        "## Training",
        table(training(trained)),
        "## Data",
        table(data(trained)),
        "## Figures",
        figures(trained),
        "## Citation",
        citation(source),
    ]
    return "\n\n".join(parts) + "\n"


def metadata(name: str) -> str:
    tags = ["xlm-spec", name, "custom_code"]
    lines = yaml.safe_dump({"library_name": "transformers", "tags": tags}, sort_keys=False)
    return f"---\n{lines}---"


def use(trained: TrainedModel, name: str) -> str:
    """Three ways to sample. `name`: of the folder, or USER/NAME on the hub."""
    run, prompt = trained.run, example(trained)
    listed = ", ".join(f"`{s}`" for s in run.package.SAMPLERS)
    first = next(iter(run.package.SAMPLERS))
    given = f'**tokenizer([{text(prompt)}], return_tensors="pt")' if prompt else ""
    return f"""With torch alone. {place(name)}

```python
from {module_name(name)} import load

model = load()
print(model.generate([{text(prompt)}], sampler="{first}", seed=0))
```

With transformers:

```python
from transformers import AutoModel, AutoTokenizer

model = AutoModel.from_pretrained({text(name)}, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained({text(name)}, trust_remote_code=True)
tokens = model.generate({given})
print(tokenizer.batch_decode(tokens, skip_special_tokens=True))
```

With the package of the method and its runtime (`pip install 'xlm-spec[train]'`), in the folder that
`xlm-spec build` writes for the spec:

```sh
{command(trained, name, prompt)}
```

Samplers: {listed}; the first is the default."""


def text(value: str) -> str:
    """A string literal of Python."""
    return json.dumps(value, ensure_ascii=False)


def module_name(name: str) -> str:
    """The name by which Python imports the folder: that of the model if it is an identifier."""
    short = name.rpartition("/")[2]
    word = re.sub(r"\W", "_", short)
    is_name = word.isidentifier() and not iskeyword(word)
    return word if is_name else f"model_{word}"


def place(name: str) -> str:
    """Where the first program runs."""
    module, above = module_name(name), "run this in the folder above it"
    if "/" in name:
        download = f"hf download {name} --local-dir {module}"
        return f"Download the folder, which is a Python package, and {above}: `{download}`."
    if module == name:
        return f"The folder is a Python package: {above}."
    return f"The folder is a Python package: rename it to `{module}`, and {above}."


def command(trained: TrainedModel, name: str, prompt: str) -> str:
    """The command line that samples. Tasks of one's own are in no export."""
    run = trained.run
    source = f"hf:{name}" if "/" in name else f"/path/to/{name}"
    words = ["python", "-m", run.name, "generate", "--checkpoint", source]
    if is_file(run.data.task):
        words += ["--task", f"./{Path(run.data.task).name}"]
    if run.task.ends:
        words.append(f"--prompt={prompt}")
    return shlex.join(words)


def example(trained: TrainedModel) -> str:
    """A prompt of the test split; empty for running text, and without the data."""
    task = trained.run.task
    if not task.ends:
        return ""
    try:
        rows = task.rows("test")
    except Failed:
        return ""
    return task.tokenizer.decode(rows.prompt[0, : int(rows.prompt_length[0])].tolist())


def method(run: Run, spec: str) -> str:
    """The spec, and the numbers of the run that differ from it."""
    own = flat(run.package.Config(vocab=run.config.vocab))
    changed = [f"`{k}={v}`" for k, v in flat(run.config).items() if own[k] != v]
    text = f"```yaml\n{spec.strip()}\n```" if spec else "The package has no spec."
    return f"{text}\n\nThe run changed {', '.join(changed)}." if changed else text


def laws(home: Path) -> str:
    """The laws that `xlm-spec verify --record` found for the code."""
    file = home / "README.md"
    readme = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    section = readme.partition(BEGIN)[2].partition(END)[0].strip()
    if "Laws: " not in section:
        return "No verification is recorded for this code."
    if is_outdated(home, readme):
        return "The recorded verification is of other code: this code has been edited since."
    text, head, rows = section.partition("| law | |")
    folded = f"<details><summary>All laws</summary>\n\n{head}{rows}\n\n</details>"
    return f"{text.strip()}\n\n{folded}"


def training(trained: TrainedModel) -> dict[str, Any]:
    """The budget, and what it was spent on."""
    run, step = trained.run, trained.step
    count = sum(p.numel() for p in trained.model.parameters())
    rows = {"size": run.size, "parameters": f"{count:,}"}
    if step is not None:
        rows["steps"] = f"{step:,} of {run.train.steps:,}"
        rows["sequences"] = f"{step * run.train.batch:,}"
    seconds = next((r["seconds"] for r in reversed(lines(trained)) if r.get("step") == step), None)
    if seconds is not None:
        rows["minutes"] = f"{seconds / 60:.1f}"
    rows |= spent(trained.checkpoint.parent.parent)
    named = choices.expanded(flat(stored(run)["train"], "train."))
    settings = {k.removeprefix("train."): v for k, v in named.items()}
    chosen = {k: v for k, v in settings.items() if k.partition(".")[0] in ("optimizer",)}
    rows |= {k: settings[k] for k in BUDGET} | chosen
    return rows | {k: v for k, v in settings.items() if k.startswith("lr_schedule")}


def spent(folder: Path) -> dict[str, Any]:
    """What the starts of a run ran on, and the hours of their devices, those that ended."""
    starts = [s for s in history.read(folder) if "device_seconds" in s]
    if not starts:
        return {}
    last, hours = starts[-1], sum(s["device_seconds"] for s in starts) / 3600
    machine = [*dict.fromkeys(last["hardware"]["gpus"])] or [last["hardware"]["processor"]]
    names = ("xlm-spec", "torch", "lightning")
    return {
        "hardware": f"{last['devices']} × {', '.join(machine)}",
        "device hours": f"{hours:.2f}",
        "versions": ", ".join(f"{k} {v}" for k, v in last["versions"].items() if k in names),
    }


def data(trained: TrainedModel) -> dict[str, Any]:
    """The task, its options, and digests of the splits of training."""
    run = trained.run
    rows: dict[str, Any] = {k: v for k, v in flat(stored(run)["data"]).items() if v}
    rows.pop("workers", None)
    rows["vocabulary"] = f"{run.config.vocab.size} tokens, with special ones"
    rows |= {"longest prompt": trained.layout.longest_prompt, "canvas": trained.layout.canvas}
    return rows | {f"digest of {split}": f"`{d}`" for split, d in trained.data.items()}


def figures(trained: TrainedModel) -> str:
    """The validation of the run at the step of the checkpoint."""
    found = [r for r in lines(trained) if r.get("step") == trained.step and r.get("split") == "val"]
    if not found:
        return "The run recorded no validation at the step of these weights."
    values = {k: v for k, v in found[-1].items() if k not in ("step", "split", "seconds")}
    rows = {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in values.items()}
    samples = trained.run.train.sample_examples
    note = f"On the validation split, during training; answers of the default sampler to {samples}"
    return f"{note} prompts at most.\n\n{table(rows)}"


def lines(trained: TrainedModel) -> list[dict]:
    """metrics.jsonl of the run of a checkpoint; empty if there is none."""
    folder = trained.checkpoint.parent
    file = folder.parent / "metrics.jsonl"
    if folder.name != "checkpoints" or not file.is_file():
        return []
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):  # a run that is being written, or was killed
            found.append(json.loads(line))
    return found


def citation(spec: str) -> str:
    """BibTeX of the paper of the spec, and of xlm-spec."""
    paper = str((yaml.safe_load(spec) or {}).get("paper", ""))
    entries = [
        f"@misc{{arxiv{number.replace('.', '')},\n  eprint = {{{number}}},\n"
        f"  archivePrefix = {{arXiv}},\n  url = {{https://arxiv.org/abs/{number}}}\n}}"
        for number in dict.fromkeys(ARXIV.findall(paper))
    ]
    title = "xlm-spec: from a one-page spec of a language model to a PyTorch package"
    fields = f"title = {{{title}}},\n  author = {{The xlm-spec authors}}"
    entries.append(f"@software{{xlmspec,\n  {fields},\n  version = {{{__version__}}}\n}}")
    return "```bibtex\n" + "\n\n".join(entries) + "\n```"


def table(rows: dict[str, Any]) -> str:
    body = [f"| {k} | {str(v).replace('|', chr(92) + '|')} |" for k, v in rows.items()]
    return "\n".join(["| | |", "|---|---|", *body])


def first_line(doc: str | None) -> str:
    return (doc or "A model").strip().splitlines()[0].rstrip(".")
