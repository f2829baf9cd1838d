"""Results that a custom file states, and that packages cannot compute with (X112)."""

import pytest
from custom_files import HALF, messages
from methods import text
from shipped_components import named, shipped

from xlm_spec.compiler.plan import plan_of

DOC = "-log p(token | x_t) per position, (B, L); logits only at the target positions."
RETURN = "return scatter(nats, target.row, target.col, hidden)"


def loss(folder, old, new):
    """A copy of cross-entropy in which some text is another."""
    return named(folder, "loss", "cross_entropy", old, new)


@pytest.mark.parametrize(
    ("doc", "stated"),
    [
        ("-log p per sequence, (B,).", "(B,)"),
        ("-log p per sequence, (B,): the sum over positions.", "(B,)"),
        ("(N, D) -> (N,): one number for each target.", "(N,)"),
        ("(B, L, D) -> (B,): the sum over positions.", "(B,)"),
        ("-log p of the sequence,\n    (B,).", "(B,)"),
    ],
)
def test_a_loss_with_one_axis_or_three(doc, stated, tmp_path):
    [found] = messages(loss(tmp_path, DOC, doc))
    message = f"`mine` must return (B, 1) or (B, L); its docstring states {stated}"
    assert found.partition(": ")[2] == message


@pytest.mark.parametrize(
    "doc",
    [
        "-log p per sequence, (B, 1).",
        "-log p per position of the longest sequence, (B, W).",
        "-log p.",
        "-log p of the (N,) targets, at their positions.",
        "-log p, (N,), at the positions of the targets.",
        "-log p, (N,). Scattered into (B, L).",
        "From the lengths (B,) and logits (N, V) -> nats.",
        "(B, L, D) -> (B, L).",
        "-log p of each position, (N, L).",
        "-log p at the target positions, (P,). Zero elsewhere.",
        "-log p of the tokens from the hidden states, (B, L, D).",
        "Hidden states, (B, L, D).\n\n    Nats of shape B x L.",
    ],
)
def test_control_a_loss_whose_docstring_states_a_right_shape_or_none(doc, tmp_path):
    plan_of(loss(tmp_path, DOC, doc))


@pytest.mark.parametrize("kind", ["tuple[Tensor, Tensor]", "float", "dict[str, Tensor]", "Vocab"])
def test_a_loss_of_another_type(kind, tmp_path):
    file = loss(tmp_path, "-> Tensor", f"-> {kind}")
    source = (tmp_path / "mine.py").read_text()
    source = source.replace("import TokenPositions", "import TokenPositions, Vocab")
    (tmp_path / "mine.py").write_text(source)
    [found] = messages(file)
    assert found.endswith(f"`mine` must return a Tensor, not `{kind}`")


@pytest.mark.parametrize("kind", ["", "-> torch.Tensor"])
def test_control_a_loss_without_a_type_or_with_a_long_one(kind, tmp_path):
    file = loss(tmp_path, "-> Tensor", kind)
    source = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(source.replace("from torch", "import torch\nfrom torch", 1))
    plan_of(file)


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ("return nats.mean()", "nats.mean()"),
        ("mean = nats.sum()\n    return mean", "nats.sum()"),
        ("return F.cross_entropy(logits, target.token)", "F.cross_entropy(logits, target.token)"),
        (
            'return F.cross_entropy(logits, target.token, reduction="sum")',
            "F.cross_entropy(logits, target.token, reduction='sum')",
        ),
        (f"if len(nats) == 0:\n        return hidden.sum()\n    {RETURN}", "hidden.sum()"),
    ],
)
def test_a_loss_that_returns_one_number(lines, number, tmp_path):
    [found] = messages(loss(tmp_path, RETURN, lines))
    assert found.endswith(f"`mine` must return (B, 1) or (B, L); `{number}` is one number")


@pytest.mark.parametrize(
    "lines",
    [
        "return nats.sum(0, keepdim=True)[:, None]",
        "return model.mean()",
        "mean = nats.mean()\n    mean = mean + hidden[..., 0]\n    return mean",
        f"def total():\n        return nats.sum()\n\n    {RETURN[:-1]} / total())",
        "return token_nats(model.token_logits, at, target.token)",
    ],
)
def test_control_a_result_that_may_have_more_than_one_number(lines, tmp_path):
    (tmp_path / "net.py").write_text(
        shipped("backbone", "rotary", "") + "\n    def mean(self):\n        return 1.0\n"
    )
    file = loss(tmp_path, RETURN, lines)
    file.write_text(file.read_text().replace("rotary", "./net.py"))
    plan_of(file)


def test_weights_and_times_with_one_axis(tmp_path):
    """Their products with (B, L) would be wrong where B = L, and fail elsewhere."""
    file = tmp_path / "spec.yaml"
    file.write_text(text(loss="[cross_entropy: {weight: ./half.py}]"))
    for source, ok in ((HALF, True), (HALF.replace("(B, 1)", "(B,)"), False)):
        (tmp_path / "half.py").write_text(source)
        if ok:
            plan_of(file)
        else:
            assert "`half` must return (B, 1), or (B, L) for a weight per" in messages(file)[0]
    [found] = messages(named(tmp_path, "time", "iid", "(B, 1)", "(B,)"))
    assert "`sample_time` must return (B, 1), or (B, L)" in found


def test_control_a_weight_that_is_a_number(tmp_path):
    (tmp_path / "half.py").write_text(HALF.replace("-> Tensor", "-> float"))
    file = tmp_path / "spec.yaml"
    file.write_text(text(loss="[cross_entropy: {weight: ./half.py}]"))
    plan_of(file)


@pytest.mark.parametrize(
    ("folder", "value", "method"),
    [
        ("head", "stop_logit", "forward"),
        ("order", "random", "__call__"),
        ("schedule", "linear", "alpha"),
        ("backbone", "rotary", "forward"),
    ],
)
def test_a_method_that_returns_a_number(folder, value, method, tmp_path):
    source = shipped(folder, value, "")
    before, at, after = source.partition(f"def {method}(")
    (tmp_path / "mine.py").write_text(before + at + after.replace("-> Tensor", "-> float", 1))
    parts = {
        "head": {"head": "./mine.py"},
        "order": {"sampler": "{kind: fixed_budget, order: ./mine.py}"},
        "schedule": {"noise": "{process: mask, schedule: ./mine.py}"},
        "backbone": {"backbone": "./mine.py"},
    }[folder]
    file = tmp_path / "spec.yaml"
    file.write_text(text(**parts))
    [found] = messages(file)
    assert found.endswith(f".{method}` must return a Tensor, not `float`")
