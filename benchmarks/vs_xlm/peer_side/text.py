"""A step of the peer's ILM on text-shaped data: collation, loss, backward. Prints JSON."""

import json
import sys
from types import SimpleNamespace

import torch
from ilm.datamodule_ilm import DefaultILMCollator
from ilm.loss_ilm import ILMLossWithMaskedCE
from ilm.model_ilm import RotaryTransformerILMModelWithStoppingClassification
from measured import most_memory, seconds

CLS, BOS, PAD, MASK, OTHERS = 101, 1, 0, 103, 1000


class Tokens(SimpleNamespace):
    """The interface that collator and loss require; the real tokenizer must be downloaded."""

    def __len__(self) -> int:
        return self.size


def main(sizes: dict) -> None:
    torch.manual_seed(0)
    tokens = Tokens(
        size=sizes["vocabulary"],
        pad_token_id=PAD,
        bos_token_id=BOS,
        cls_token_id=CLS,
        mask_token_id=MASK,
    )
    model = RotaryTransformerILMModelWithStoppingClassification(
        sizes["vocabulary"],
        sizes["width"],
        sizes["layers"],
        sizes["heads"],
        padding_idx=PAD,
        mask_idx=MASK,
        dropout=sizes["dropout"],
        rotary_emb_dim=sizes["width"] // sizes["heads"],
        max_length=sizes["tokens"] + 2,
    )
    collate = DefaultILMCollator(tokens, sizes["tokens"] + 2, None)  # CLS and BOS come first
    loss = ILMLossWithMaskedCE(model, tokens, length_loss="binary_ce", length_loss_weight=1.0)
    loss.configure(SimpleNamespace(device=torch.device("cpu")))
    drawn = torch.randint(OTHERS, sizes["vocabulary"], (sizes["batch"], sizes["tokens"]))
    rows = [{"input_ids": row} for row in drawn.tolist()]
    found: dict[str, list[float]] = {"collate": [], "step": []}

    def step() -> None:
        batch = []
        found["collate"] += seconds(lambda: batch.append(collate(rows)), 1)
        model.zero_grad()
        loss(batch[0])["loss"].backward()

    before = most_memory()
    found["step"] = seconds(step, 1 + sizes["time_grid"])[1:]
    found["collate"] = found["collate"][1:]
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps(found | {"memory": most_memory() - before, "parameters": parameters}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
