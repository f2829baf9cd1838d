"""Seconds per batch of our default samplers, decoding to text included. Prints JSON."""

import importlib
import json
import sys

from measured import seconds

from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.evaluation.scoring import CallCounter, start_of
from xlm_spec.runtime.loading.layout import layout_of
from xlm_spec.runtime.randomness import generator


def main(sizes: dict) -> None:
    print(json.dumps({m: {"tight": drawn(m, sizes)} for m in sizes["methods"]}))


def drawn(method: str, sizes: dict) -> dict:
    package = importlib.import_module(method)
    main = importlib.import_module(f"{method}.__main__")
    run = resolve_config(package, main.DATA, main.TRAIN, "star_easy", sets=sizes["sets"])
    layout = layout_of(package, run.task, run.config.vocab, run.data.fill)
    start = start_of(layout, run.task.rows("test").take(slice(0, sizes["batch"])), "cpu")
    model = CallCounter(build_model(run, layout.max_length).eval())
    written = []

    def write() -> list[str]:
        *_, last = package.sample(model, run.config, start, generator("vs_xlm"))
        answers = layout.answers(last.tokens, last.valid, last.fixed)
        written.append((answers >= 0).sum().item() / len(answers))
        return [run.task.tokenizer.decode([t for t in row if t >= 0]) for row in answers.tolist()]

    taken = seconds(write, 1 + sizes["time_grid"])
    calls = model.calls / len(taken)
    return {"seconds": taken[1:], "calls": calls, "tokens": written[-1]}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
