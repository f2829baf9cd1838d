"""A step of our ILM on text-shaped data: corruption, objective, backward. Prints JSON."""

import json
import sys

import torch
from measured import most_memory, seconds

from ilm import Config, Examples, Model, Vocab, objective
from ilm.config import Backbone

PAD, BOS, OTHERS = 0, 1, 1000


def main(sizes: dict) -> None:
    rng = torch.Generator().manual_seed(0)
    backbone = Backbone(sizes["layers"], sizes["width"], sizes["heads"], sizes["dropout"])
    vocab = Vocab(size=sizes["vocabulary"], pad=PAD, bos=BOS)
    config = Config(vocab=vocab, backbone=backbone)
    model = Model(config)
    shape = sizes["batch"], 1 + sizes["tokens"]
    tokens = torch.randint(OTHERS, sizes["vocabulary"], shape, generator=rng)
    tokens[:, 0] = BOS
    fixed = torch.zeros(shape, dtype=torch.bool)
    fixed[:, 0] = True
    x = Examples(tokens, torch.ones_like(fixed), fixed)

    def step() -> None:
        model.zero_grad()
        sum(objective(model, x, config, rng).values()).mean().backward()

    before = most_memory()
    times = seconds(step, 1 + sizes["time_grid"])[1:]
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({"step": times, "memory": most_memory() - before, "parameters": parameters}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
