"""Seconds per batch of the peer's samplers. Prints JSON.

The predictors have the settings of the peer's star_easy experiments, and random weights.
"""

import json
import sys
from itertools import islice
from pathlib import Path

import torch
from arlm.datamodule_arlm import ARLMSeq2SeqPredCollator
from arlm.model_arlm import RotaryTransformerARLMModel
from arlm.predictor_arlm import ARLMPredictor
from ilm.datamodule_ilm import ILMSeq2SeqPredCollator
from ilm.model_ilm import RotaryTransformerILMModelWithStoppingClassification
from ilm.predictor_ilm import ILMPredictorWithStoppingClassification
from measured import seconds
from mlm.datamodule_mlm import MLMSeq2SeqPredCollator
from mlm.model_mlm import RotaryTransformerMLMModel
from mlm.predictor_mlm import MLMPredictor
from xlm.datamodule import SimpleSpaceTokenizer
from xlm.tasks.star import preprocess_fn

NODES = 20


def main(setting: dict) -> None:
    torch.manual_seed(0)
    tokens = SimpleSpaceTokenizer.for_numbers(vocab_size=NODES)
    with Path(setting["file"]).open() as lines:
        rows = [preprocess_fn(json.loads(x), tokens) for x in islice(lines, setting["batch"])]
    rows = [{"prompt_ids": r["prompt_token_ids"], "input_ids": r["input_token_ids"]} for r in rows]
    print(json.dumps({m: measured(m, rows, tokens, setting) for m in setting["methods"]}))


def measured(method: str, rows: list, tokens: SimpleSpaceTokenizer, setting: dict) -> dict:
    """With the shipped sizes, with autograd as in `job_type=generate`, and with minimum sizes."""
    model = model_of(method, tokens, setting).eval()
    shipped, tight = setting["shipped"][method], setting["tight"][method]
    out = {"autograd": drawn(model, method, rows, tokens, shipped, setting["time_grid"])}
    with torch.no_grad():
        out["shipped"] = drawn(model, method, rows, tokens, shipped, setting["time_grid"])
        out["tight"] = drawn(model, method, rows, tokens, tight, setting["time_grid"])
    return out


def drawn(model, method: str, rows: list, tokens: SimpleSpaceTokenizer, sizes, times: int) -> dict:
    prompt, answer = sizes
    batch = collator(method, tokens, prompt, answer)(rows)
    predictor = predictor_of(method, tokens, prompt, answer)
    calls, found = [], []

    def counted(*args, **kwargs):
        calls.append(1)
        return model(*args, **kwargs)

    predictor.model = counted
    taken = seconds(lambda: found.append(predictor.predict(dict(batch))), 1 + times)
    kept = found[-1]["ids"][:, batch["input_ids"].shape[1] :] > tokens.unk_token_id
    return {
        "seconds": taken[1:],
        "calls": len(calls) / len(taken),
        "tokens": kept.sum().item() / len(kept),
    }


def model_of(method: str, tokens: SimpleSpaceTokenizer, setting: dict) -> torch.nn.Module:
    kind = {
        "arlm": RotaryTransformerARLMModel,
        "mlm": RotaryTransformerMLMModel,
        "ilm": RotaryTransformerILMModelWithStoppingClassification,
    }[method]
    return kind(
        tokens.full_vocab_size,
        setting["width"],
        setting["layers"],
        setting["heads"],
        padding_idx=tokens.pad_token_id,
        dropout=setting["dropout"],
        rotary_emb_dim=setting["width"] // setting["heads"],
        max_length=64,
        final_layer_without_normalization=method == "ilm",
    )


def collator(method: str, tokens: SimpleSpaceTokenizer, prompt: int, answer: int):
    if method == "ilm":
        return ILMSeq2SeqPredCollator(tokens, None, answer, prompt)
    if method == "mlm":
        return MLMSeq2SeqPredCollator(tokens, None, answer, prompt)
    return ARLMSeq2SeqPredCollator(tokens, None, answer, prompt, add_bos="output", add_eos=True)


def predictor_of(method: str, tokens: SimpleSpaceTokenizer, prompt: int, answer: int):
    if method == "mlm":
        rule = {"top_k": 1, "confidence": "top_prob", "threshold": 0.1}
        return MLMPredictor(500, answer, tokens, **rule)
    greedy = {"sampling_method": "sample_top_k", "top": 1}
    if method == "arlm":
        return ARLMPredictor(answer, prompt + answer, tokens, **greedy)
    gaps = {"second_sampling_method": "sample_top_k", "second_top": 2}
    most = {"max_steps": answer, "max_length": prompt + answer}
    return ILMPredictorWithStoppingClassification(**most, tokenizer=tokens, **greedy, **gaps)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
