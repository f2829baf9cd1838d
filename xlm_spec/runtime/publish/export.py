"""The workflow `export`: a folder with weights, settings, tokenizer, code and a model card.

The folder is a Python package that needs torch alone (pretrained.py), a repository of the Hugging
Face hub that `transformers` loads (modeling.py.template), and a project that pip installs. Its
modules lie beside config.json, because `transformers` copies no modules of subfolders.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Any

import torch
from torch import Tensor

from xlm_spec import __version__
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.evaluation.scoring import to
from xlm_spec.runtime.publish.model_card import model_card, module_name
from xlm_spec.runtime.publish.tokenizer_files import tokenizer_files
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.weights import exported, pretrained
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model
from xlm_spec.runtime.weights.pretrained import CONFIG, DTYPES, WEIGHTS, WORDS

MODELING = Path(__file__).with_name("modeling.py.template")
OWN = ("__init__", "package", "pretrained", "pyproject")  # files that `export` adds


def export(package, data, train, args) -> None:
    """Writes the folder `--to`. Raises Failed: X630, X701, X702."""
    require_new(args.to)
    trained = load_model(package, data, train, args)
    name = args.to.resolve().name
    write_export(trained, args.to, name)
    if module_name(name) == name:
        print(f"in {args.to.resolve().parent}: from {name} import load", file=sys.stderr)
    print(args.to)


def require_new(folder: Path) -> None:
    """Raises Failed (X630) if the folder is not empty."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        hint = "remove it, or choose another --to"
        raise Failed(Diagnostic("X630", "the folder of the export is not empty", hint, str(folder)))


def write_export(trained: TrainedModel, folder: Path, name: str) -> None:
    """Writes all files; config.json is the last one. `name`: of the model, for its card.

    Raises Failed (X630) if a module of the package has the name of a file that is added, or lies
    in a sub-package.
    """
    home = Path(trained.run.package.__file__).parent
    require_flat(home)
    modules = sorted(f.stem for f in home.glob("*.py") if f.stem not in ("__init__", "__main__"))
    modeling = f"modeling_{trained.run.name}"
    taken = {*OWN, modeling} & set(modules)
    if taken:
        message = f"the package has a module `{sorted(taken)[0]}`, a name that the export needs"
        raise Failed(Diagnostic("X630", message, "rename its component", str(home)))
    sources = {f"{m}.py": text_of(home / f"{m}.py") for m in modules}
    sources["package.py"] = text_of(home / "__init__.py")
    sources["pretrained.py"] = text_of(Path(pretrained.__file__))
    sources[f"{modeling}.py"] = modeling_source(trained.run, [*modules, "package"])
    sources["__init__.py"] = init_source(sources["package.py"])
    spec = exported.published_spec(home.parent)
    files = sources | ({"spec.yaml": spec} if spec else {})
    files |= tokenizer_files(trained.run.task.tokenizer, trained.run.config.vocab)
    files[WORDS] = as_json(dict(trained.run.task.tokenizer.state))
    files["README.md"] = model_card(trained, name)
    files["pyproject.toml"] = project(trained.run, [*sources, CONFIG, WEIGHTS, WORDS])
    files[CONFIG] = as_json(config_json(trained))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / WEIGHTS).open("wb") as out:
        to_safetensors(trained.model.state_dict(), out.write)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8", newline="\n")


def require_flat(home: Path) -> None:
    """Raises Failed (X630) for a module in a subfolder, which `transformers` would not copy."""
    files = sorted(f.relative_to(home) for f in home.rglob("*.py"))
    inner = next((f for f in files if len(f.parts) > 1 and f.parts[0].isidentifier()), None)
    if inner is not None:
        message = f"the package has a module in a subfolder, `{inner.as_posix()}`"
        hint = "move it beside model.py: the modules of an export lie in one folder"
        raise Failed(Diagnostic("X630", message, hint, str(home)))


def config_json(trained: TrainedModel) -> dict[str, Any]:
    """The content of config.json: what transformers reads, then the settings of the run."""
    run, layout = trained.run, trained.layout
    vocab, camel = run.config.vocab, camel_case(run.name)
    ids = {k: v for k, v in asdict(vocab).items() if k in ("pad", "bos", "eos", "mask") and v >= 0}
    return {
        "architectures": [f"{camel}Model"],
        "auto_map": {
            "AutoConfig": f"modeling_{run.name}.{camel}Config",
            "AutoModel": f"modeling_{run.name}.{camel}Model",
        },
        "model_type": f"xlm_spec_{run.name}",
        "dtype": str(next(trained.model.parameters()).dtype).removeprefix("torch."),
        "vocab_size": vocab.size,
        **{f"{k}_token_id": v for k, v in ids.items()},
        "logits_head": logits_head(trained),
        "canvas": {
            "longest_prompt": layout.longest_prompt,
            "free": layout.canvas,
            "ends": layout.ends,
        },
        "xlm_spec_version": __version__,
        "global_step": trained.step,
        "data_digests": dict(trained.data),
        exported.SETTINGS: exported.stored(run),
    }


@torch.no_grad()
def logits_head(trained: TrainedModel) -> str:
    """The head whose logits of tokens the first sampler reads; "" if none.

    A sampler that happens to read none for this model, as one that inserts nothing, has those of
    `token_logits`.
    """
    run, layout, seen = trained.run, trained.layout, set[str]()

    def note(name: str, output: object) -> None:
        if isinstance(output, Tensor) and output.shape[-1:] == (run.config.vocab.size,):
            seen.add(name)

    heads = {k: head for k, head in trained.model.named_children() if k != "backbone"}
    hooks = [
        head.register_forward_hook(lambda _module, _inputs, output, name=name: note(name, output))
        for name, head in heads.items()
    ]
    prompt = torch.zeros(1, layout.longest_prompt, dtype=torch.long)
    start = to(layout.start(prompt, torch.zeros(1, dtype=torch.long)), trained.device)
    draw = next(iter(run.package.SAMPLERS.values()))
    try:
        for _ in draw(trained.model, run.config, start, generator("export", device=trained.device)):
            if seen:
                break
    finally:
        for hook in hooks:
            hook.remove()
    read = seen or {*heads} & {"token_logits"}
    return next((name for name in ("token_logits", *heads) if name in read), "")


def modeling_source(run: Run, modules: list[str]) -> str:
    """The module that transformers loads."""
    imports = "\n".join(f"from .{m} import __doc__ as _{m}  # noqa: F401" for m in modules)
    source = Template(MODELING.read_text(encoding="utf-8"))
    return source.substitute(name=run.name, camel=camel_case(run.name), imports=imports)


def init_source(package: str) -> str:
    """The `__init__.py` of the folder: the names of the package, and `load`."""
    title = re.match(r'""".*?"""', package, re.DOTALL)
    head = title[0] if title else '"""An exported model."""'
    lines = ["from . import package", "from .package import *  # noqa: F403"]
    lines += ["from .pretrained import Pretrained, load", ""]
    names = '[*getattr(package, "__all__", ()), "Pretrained", "load"]'
    return "\n".join([head, "", *lines, f"__all__ = {names}", ""])


def project(run: Run, files: list[str]) -> str:
    """The pyproject.toml with which pip installs the folder as the package of its method."""
    listed = "".join(f'    "{f}",\n' for f in files)
    return f"""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{run.name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["torch>=2.5"]

[tool.hatch.build.targets.wheel]
only-include = [
{listed}]

[tool.hatch.build.targets.wheel.sources]
"" = "{run.name}"
"""


def to_safetensors(tensors: Mapping[str, Tensor], write: Callable[[bytes], Any]) -> None:
    """Writes the format that `pretrained.read_safetensors` reads."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, t in tensors.items():
        span = [at, at + t.numel() * t.element_size()]
        header[name] = {"dtype": names[t.dtype], "shape": [*t.shape], "data_offsets": span}
        at = span[1]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # numbers begin at a multiple of 8
    write(len(text).to_bytes(8, "little") + text)
    for t in tensors.values():
        write(t.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")


def as_json(content: Mapping) -> str:
    return json.dumps(content, indent=2) + "\n"


def camel_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
