"""One file for each kind of sampler, and samplers.py, which runs each by its name."""

import re

import pytest
import torch
from methods import INSERTED, ROOT, package, text

from xlm_spec.compiler.components import component
from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.middle.network import used_of
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.overrides import flat, overridden

BOTH = "{first: {kind: fixed_budget, order: random}, second: {kind: fixed_budget, order: margin}}"
SHIPPED = ROOT / "templates" / "components" / "sampler"


def files(folder, **parts: str) -> dict[str, str]:
    """The Python of a package, by file."""
    spec = folder / "spec.yaml"
    spec.write_text(text(**parts))
    found = {p.removeprefix("method/"): t.decode() for p, t in render(plan_of(spec)).items()}
    return {p: t for p, t in found.items() if p.endswith(".py") and "/" not in p}


def listing(found: dict[str, str], definition: str) -> list[str]:
    return [p for p, source in found.items() for _ in re.findall(definition, source)]


def custom(folder, name: str, old: str = "", new: str = "") -> str:
    """`ancestral` as a file of the author's own, in which some text is another."""
    source = (SHIPPED / "ancestral.py").read_text()
    assert old in source
    (folder / f"{name}.py").write_text(source.replace(old, new, 1))
    return f"{{kind: ./{name}.py, steps: 3}}"


def examples(m):
    config = m.Config.small()
    tokens = torch.full((4, 7), config.vocab.bos)
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, 0] = True
    return config, m.Examples(tokens, torch.ones_like(fixed), fixed)


def lengths(m, config, x) -> dict[str, int]:
    """How many states each sampler passes through."""
    torch.manual_seed(0)
    model = m.Model(config).eval()
    rng = torch.Generator().manual_seed(0)
    return {name: len([*sample(model, config, x, rng)]) for name, sample in m.SAMPLERS.items()}


def test_one_sampler_has_one_file(tmp_path):
    found = files(tmp_path, sampler="{kind: ancestral, wrap: blocks}")
    assert [p for p in found if "sampler" in p or "wrap" in p] == ["sampler.py"]
    for name in ("time_grid", "step", "windows", "narrow", "widen", "sample"):
        assert listing(found, rf"def {name}\(") == ["sampler.py"]


def test_two_names_of_one_kind_list_it_once(tmp_path):
    found = files(tmp_path, sampler=BOTH)
    for definition in ("def step\\(", "def time_grid\\(", "def sample\\("):
        assert listing(found, definition) == ["sampler_fixed_budget.py"]
    assert listing(found, "class SamplerFixedBudget") == ["config.py"]
    assert "for " not in found["samplers.py"]


def test_the_names_of_one_kind_differ_by_their_numbers(tmp_path):
    m = package(
        tmp_path, sampler="{a: {kind: ancestral, steps: 2}, b: {kind: ancestral, steps: 5}}"
    )
    config, x = examples(m)
    assert lengths(m, config, x) == {"a": 3, "b": 6}
    assert m.sample is m.SAMPLERS["a"]
    assert flat(config)["sampler.b.steps"] == 5
    config = overridden(config, {"sampler.b.steps": 4})
    assert lengths(m, config, x) == {"a": 3, "b": 5}


def test_a_loop_around_two_kinds_is_listed_once(tmp_path):
    """And a kind once, whether there is a loop around it or not."""
    around = "wrap: {blocks: {size: 2}}"
    samplers = (
        f"{{a: ancestral, b: {{kind: ancestral, {around}}}, c: {{kind: threshold, {around}}}}}"
    )
    found = files(tmp_path, sampler=samplers)
    assert listing(found, r"def windows\(") == ["wrap_blocks.py"]
    assert listing(found, r"def time_grid\(") == ["sampler_ancestral.py", "sampler_threshold.py"]
    assert listing(found, r"def sample\(") == ["sampler_ancestral.py"]
    both = ["sampler_ancestral.py", "sampler_threshold.py"]
    assert listing(found, r"def sample_in_blocks\(") == both
    assert listing(found, r"class WrapBlocks") == ["config.py"]


MODULES = ["noise", "config", "samplers", "sampler_ancestral", "wrap_blocks", "torch", "ops"]
OTHERS = ["prior", "sample", "settings", "model", "first_hitting", "a_1", "a1", "a_1_wrap"]


def test_a_sampler_may_have_the_name_of_a_file_or_of_a_kind(tmp_path):
    """Each is run, with its own numbers."""
    names = {name: 2 + i for i, name in enumerate([*MODULES, *OTHERS])}
    listed = [f"{name}: {{kind: ancestral, steps: {n}}}" for name, n in names.items()]
    listed.append("ancestral: first_hitting")
    m = package(tmp_path, sampler=f"{{{', '.join(listed)}}}")
    found = lengths(m, *examples(m))
    assert found == {name: n + 1 for name, n in names.items()} | {"ancestral": 7}


def test_a_custom_sampler_stands_beside_others(tmp_path):
    """Each has a file of its own, so that all may define `time_grid`, `step` and a helper."""
    sampler = custom(
        tmp_path, "mine", "def time_grid(", "def helper():\n    pass\n\n\ndef time_grid("
    )
    other = custom(
        tmp_path, "yours", "def time_grid(", "def helper():\n    pass\n\n\ndef time_grid("
    )
    m = package(tmp_path, sampler=f"{{a: ancestral, b: {sampler}, c: {other}}}")
    assert lengths(m, *examples(m)) == {"a": 129, "b": 4, "c": 4}


@pytest.mark.parametrize(
    ("name", "samplers", "addition", "message"),
    [
        (
            "mine",
            "{{a: {}}}",
            "def prior():",
            "name `prior` in `mine.py` is",
        ),
        ("mine", "{{a: {}, b: ancestral}}", "def sample():", "name `sample` in `mine.py`"),
        (
            "mine",
            "{{a: {}, b: ancestral}}",
            "class SamplerMine:",
            "already used by a section of the package's config.py",
        ),
        (
            "ancestral_in_blocks",
            "{{a: {{kind: ancestral, wrap: blocks}}, b: {}}}",
            "def helper():",
            "two kinds of sampler need a class `SamplerAncestralInBlocks` in config.py",
        ),
    ],
)
def test_names_that_would_be_two_things_in_one_file(name, samplers, addition, message, tmp_path):
    new = f"{addition}\n    pass\n\n\ndef time_grid("
    sampler = custom(tmp_path, name, "def time_grid(", new)
    (tmp_path / "spec.yaml").write_text(text(sampler=samplers.format(sampler)))
    with pytest.raises(Failed) as failed:
        plan_of(tmp_path / "spec.yaml")
    [found] = failed.value.diagnostics
    assert found.code == "X114"
    assert message in found.message


def test_a_class_of_the_config_is_no_matter_in_another_file(tmp_path):
    """The control: the name is taken only where it is imported."""
    sampler = custom(
        tmp_path, "mine", "def time_grid(", "class SamplerMine:\n    pass\n\n\ndef time_grid("
    )
    assert "SamplerMine" not in files(tmp_path, sampler=sampler)["config.py"]


def test_a_sampler_without_numbers_is_given_no_settings(tmp_path):
    """One that draws nothing: it writes the token 0."""
    source = (SHIPPED / "first_hitting.py").read_text()
    source = source.replace("    draw: Draw,", "").replace(" draw: Draw,", "")
    source = source.replace("draw(logits, rng)", "torch.zeros_like(row)").replace("Draw, ", "")
    (tmp_path / "plain.py").write_text(source)
    m = package(tmp_path, sampler="{a: ./plain.py, b: ancestral}")
    config, x = examples(m)
    assert not hasattr(config.sampler, "a")
    *_, last = m.SAMPLERS["a"](m.Model(config).eval(), config, x, torch.Generator().manual_seed(0))
    assert (last.tokens[:, 1:] == 0).all()


# ---- ops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampler", "heads", "special"),
    [
        ("ancestral", {"token_logits"}, {"mask"}),
        ("remask", {"token_logits"}, {"mask"}),
        ("insertion", {"gap_token_logits", "stop_logit"}, set()),
        ("autoregressive", {"token_logits", "open_cache", "extend_cache"}, {"eos"}),
    ],
)
def test_what_an_op_reads_is_read_by_the_component(sampler, heads, special):
    c = component("sampler", sampler)
    assert used_of(c, "model") == heads
    assert used_of(c, "vocab") & {"mask", "eos"} == special


def test_a_package_lists_only_the_ops_that_it_reaches(tmp_path):
    found = files(tmp_path, sampler="{kind: ancestral, steps: 8}")["ops.py"]
    assert "def masked_positions(" in found
    assert "def rewrite(" not in found
    found = files(tmp_path, sampler="remask", noise="{process: mask}")["ops.py"]
    assert "def rewrite(" in found
    assert "def rank(" not in found


def test_two_heads_of_one_class(tmp_path):
    """It is listed once; each head has weights of its own."""
    found = files(tmp_path, **INSERTED)
    assert "self.gap_token_logits = TokenLogits(" in found["model.py"]
    assert listing(found, "class TokenLogits") == ["model.py"]
