"""Exports of a run and of small random models."""

import importlib

import torch
from package_runs import package_of, run

from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.loading.layout import layout_of
from xlm_spec.runtime.publish import export
from xlm_spec.runtime.weights.load_model import TrainedModel

INSERTING = ("did", "dilm", "editflows", "ilm", "ilm_per_count", "insertion_tree")
HEADS = dict.fromkeys(INSERTING, "gap_token_logits")  # others: token_logits


SETS = ["backbone.layers=1", "backbone.width=16", "backbone.heads=2"]


def untrained(package, folder, *sets) -> TrainedModel:
    """A small random model of a package, exported into a folder."""
    main = importlib.import_module(f"{package.__name__}.__main__")
    given = (package, main.DATA, main.TRAIN, "star_mini", "cpu", None, [*SETS, *sets])
    r = resolve_config(*given)
    layout = layout_of(package, r.task, r.config.vocab, r.data.fill)
    torch.manual_seed(0)
    model = build_model(r, layout.max_length).eval()
    found = TrainedModel(r, layout, model, torch.device("cpu"), folder / "none.ckpt", None)
    export.write_export(found, folder, folder.name)
    return found


def prompts_of(trained, n):
    rows = trained.run.task.rows("test").take(slice(0, n))
    pairs = zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
    return rows, [prompt[:length] for prompt, length in pairs]


def export_of(trained, folder):
    """Exports a run by its command."""
    done = run("mdlm", "export", "--run", trained, "--to", folder)
    assert done.stdout.strip() == str(folder)
    return folder


def minimal_export(folder):
    untrained(package_of("mdlm"), folder)
    return folder
