"""`--init` with a plain state dict: what fits is loaded, what does not is listed."""

import json

import pytest
import torch
from methods import package

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.weights import checkpoint, state_dict


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    m = package(tmp_path_factory.mktemp("init"))
    torch.manual_seed(0)
    return m.Model(m.Config.small())


@pytest.fixture
def other(model):
    """New weights for each name of the backbone, as another code would save them."""
    torch.manual_seed(1)
    return {k: torch.randn_like(v) for k, v in model.backbone.state_dict().items()}


def with_safetensors(tensors: dict, file) -> None:
    """The format of safetensors: the length of the header, the header, the numbers."""
    header, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, t in tensors.items():
        raw = t.contiguous().view(torch.uint8).numpy().tobytes()
        dtype = {torch.float32: "F32", torch.bfloat16: "BF16"}[t.dtype]
        span = [len(numbers), len(numbers) + len(raw)]
        header[name] = {"dtype": dtype, "shape": [*t.shape], "data_offsets": span}
        numbers += raw
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + numbers)


def loaded(model, file) -> list[str]:
    """The report of a file for a copy of the model; sets `model.copy`."""
    return state_dict.load(model, state_dict.tensors_of(state_dict.read(file), file), file)


@pytest.mark.parametrize("prefix", ["", "backbone.", "model.backbone.", "transformer."])
@pytest.mark.parametrize("kind", ["pt", "safetensors"])
def test_a_state_dict_of_the_backbone_is_loaded(prefix, kind, model, other, tmp_path):
    before = {k: v.clone() for k, v in model.state_dict().items()}
    file = tmp_path / f"weights.{kind}"
    named = {f"{prefix}{k}": v for k, v in other.items()} | {"lm_head.bias": torch.zeros(3)}
    torch.save(named, file) if kind == "pt" else with_safetensors(named, file)
    found = loaded(model, file)
    after = model.state_dict()
    for k, v in other.items():
        torch.testing.assert_close(after[f"backbone.{k}"], v)
    heads = [k for k in after if not k.startswith("backbone.")]
    assert heads
    assert all(torch.equal(after[k], before[k]) for k in heads)
    assert found == [
        f"weights.{kind}: {len(other)} of {len(after)} tensors of the model loaded",
        f"not in the file, so newly initialised: {', '.join(heads)}",
        "not used, of the file: lm_head.bias",
    ]


def test_other_precisions_and_wrapped_state_dicts_are_read(model, other, tmp_path):
    half = {k: v.bfloat16() for k, v in other.items()}
    with_safetensors(half, tmp_path / "half.safetensors")
    loaded(model, tmp_path / "half.safetensors")
    name = next(iter(other))
    torch.testing.assert_close(model.backbone.state_dict()[name], half[name].float())
    torch.save({"state_dict": other, "epoch": 3}, tmp_path / "wrapped.pt")
    loaded(model, tmp_path / "wrapped.pt")
    torch.testing.assert_close(model.backbone.state_dict()[name], other[name])


def test_what_is_missing_is_listed(model, other, tmp_path):
    gone = other.popitem()[0]
    torch.save(other, tmp_path / "part.pt")
    assert f"backbone.{gone}" in loaded(model, tmp_path / "part.pt")[1]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ({"conv.weight": torch.zeros(2)}, "X702", "no name of the file is one of the model"),
        ({"a": 1}, "X701", "the file holds no weights"),
        ([torch.zeros(2)], "X701", "the file holds no weights"),
    ],
)
def test_nothing_that_fits_is_an_error(content, code, message, model, tmp_path):
    torch.save(content, tmp_path / "odd.pt")
    with pytest.raises(Failed) as failed:
        loaded(model, tmp_path / "odd.pt")
    [found] = failed.value.diagnostics
    assert (found.code, found.message) == (code, found.message)
    assert message in found.message


def test_another_shape_is_an_error(model, other, tmp_path):
    """And nothing is loaded."""
    before = {k: v.clone() for k, v in model.state_dict().items()}
    name = next(iter(other))
    torch.save(other | {name: other[name][:1]}, tmp_path / "shape.pt")
    with pytest.raises(Failed, match=f"`backbone.{name}` has shape"):
        loaded(model, tmp_path / "shape.pt")
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("raw", [b"", b"\x05", b"\xff" * 40, b"\x02" + b"\0" * 7 + b"[]"])
def test_a_damaged_file_of_safetensors_is_an_error(raw, tmp_path):
    (tmp_path / "odd.safetensors").write_bytes(raw)
    with pytest.raises(Failed, match="not a file in the format of safetensors"):
        state_dict.read(tmp_path / "odd.safetensors")


def test_a_checkpoint_is_no_plain_state_dict(other):
    assert checkpoint.is_checkpoint({"state_dict": other, "xlm_spec": {}})
    assert not checkpoint.is_checkpoint({"state_dict": other})
