"""The encoder of the guide: an independent implementation with the same weights agrees."""

import pytest
import torch
from code_blocks import blocks
from methods import ROOT
from torch import nn

from xlm_spec.compiler.build import build
from xlm_spec.laws.package import import_package
from xlm_spec.runtime.weights import state_dict

PAGE = (ROOT / "docs" / "guides" / "extend-the-runtime.md").read_text()
ENCODER = next(b for b in blocks(PAGE, "python") if "class Backbone" in b and "BertModel" in b)
SPEC = next(b for b in blocks(PAGE, "yaml") if "name: bert" in b)
NAMES = {  # of a layer of BERT -> of torch's
    "attention.output.dense": "self_attn.out_proj",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "linear1",
    "output.dense": "linear2",
    "output.LayerNorm": "norm2",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    place = tmp_path_factory.mktemp("bert")
    (place / "encoder.py").write_text(ENCODER)
    (place / "bert.yaml").write_text(SPEC)
    return import_package(build(place / "bert.yaml", place / "out").folder, "bert")


def layer_of(weights, i, width, heads, inner):
    """Layer i of BERT as a layer of torch: LayerNorm after each sum, exact GELU."""
    layer = nn.TransformerEncoderLayer(
        width, heads, inner, 0.0, "gelu", batch_first=True, layer_norm_eps=1e-12
    )
    at = f"encoder.layer.{i}"
    state = {}
    for kind in ("weight", "bias"):
        qkv = [weights[f"{at}.attention.self.{n}.{kind}"] for n in ("query", "key", "value")]
        state[f"self_attn.in_proj_{kind}"] = torch.cat(qkv)
        state |= {
            f"{ours}.{kind}": weights[f"{at}.{theirs}.{kind}"] for theirs, ours in NAMES.items()
        }
    layer.load_state_dict(state)
    return layer.eval()


def test_the_encoder_of_the_guide_is_that_of_bert(package, tmp_path):
    torch.manual_seed(0)
    config = package.Config.small()
    source, model = package.Model(config).eval(), package.Model(config).eval()
    for p in source.parameters():
        nn.init.normal_(p, std=0.3)
    weights = source.backbone.state_dict()
    file = tmp_path / "bert.pt"
    torch.save({f"bert.{k}": v for k, v in weights.items()}, file)
    state_dict.load(model, state_dict.tensors_of(state_dict.read(file), file), file)
    tokens = torch.randint(0, 8, (3, 9))
    valid = torch.arange(9) < torch.tensor([[9], [7], [4]])
    b = config.backbone
    x = weights["embeddings.word_embeddings.weight"][tokens]
    x = x + weights["embeddings.position_embeddings.weight"][:9]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    norm = [weights[f"embeddings.LayerNorm.{k}"] for k in ("weight", "bias")]
    x = nn.functional.layer_norm(x, (b.width,), *norm, eps=1e-12)
    for i in range(b.layers):
        x = layer_of(weights, i, b.width, b.heads, 4 * b.width)(x, src_key_padding_mask=~valid)
    with torch.no_grad():
        found = model(tokens, valid)
    assert torch.allclose(found[valid], x[valid], atol=1e-4)
