"""Further schedules of the noise, and times with a density of their own."""

import inspect

import pytest
import torch
from methods import MASKED, package, text

from xlm_spec.compiler.frontend.load import load
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.diagnostics import Failed

TWO = '''"""A token is corrupted by one of two schedules."""

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule


def select_tokens(
    x: Examples, t: Tensor, schedule: Schedule, slow_schedule: Schedule, rng: Generator
) -> Tensor:
    """Each free position, (B, L) bool."""
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    kept = schedule.alpha(t) * slow_schedule.alpha(t)
    return (u >= kept) & x.valid & ~x.fixed
'''
RISING = '''"""alpha(t) = t."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RisingSchedule:
    """alpha(t) = t."""

    def alpha(self, t: Tensor) -> Tensor:
        return t

    def dalpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def inverse(self, alpha: Tensor) -> Tensor:
        return alpha
'''
EARLY = '''"""Half of the times in (0, 1/2), the others anywhere."""

import torch
from torch import Generator, Tensor

from ..types import Examples


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    edge: float = 1e-5,  # minimum distance from t = 0; in (0, 0.001]
) -> Tensor:
    """t, (B, 1)."""
    u = torch.rand(2, len(x.tokens), 1, generator=rng, device=x.tokens.device)
    return torch.where(u[0] < 0.5, u[1] / 2, u[1]).clamp(min=edge)


def density(t: Tensor) -> Tensor:
    """1.5 below 1/2, 0.5 above, (B, 1)."""
    return torch.where(t < 0.5, 1.5, 0.5)
'''


def codes(folder, **changes: str) -> list[str]:
    """The codes of the errors and warnings of a spec."""
    file = folder / "spec.yaml"
    file.write_text(text(MASKED, **changes))
    try:
        return [d.code for d in check(compose(validate(load(file))))]
    except Failed as failed:
        return [d.code for d in failed.diagnostics]


def two(folder, more: str = "") -> dict[str, str]:
    """A spec whose count reads two schedules."""
    (folder / "two.py").write_text(TWO)
    return {"noise": f"{{process: mask, count: ./two.py{more}}}", "loss": "cross_entropy"}


def test_a_further_schedule_is_a_field_of_the_config(tmp_path):
    method = package(tmp_path, **two(tmp_path, ", slow_schedule: linear"))
    assert method.Config.small().noise.slow_schedule.eps == 0.0
    source = inspect.getsource(method.objective)
    assert source.index("schedule = config.noise.schedule") < source.index("slow_schedule = config")
    assert "select_tokens(x, t, schedule, slow_schedule, rng)" in source


def test_a_further_schedule_can_be_a_file(tmp_path):
    (tmp_path / "falling.py").write_text(
        RISING.replace("Rising", "Falling")
        .replace("return t\n", "return 1 - t\n")
        .replace("return torch.ones_like", "return -torch.ones_like")
        .replace("return alpha", "return 1 - alpha")
    )
    method = package(tmp_path, **two(tmp_path, ", slow_schedule: ./falling.py"))
    assert type(method.Config.small().noise.slow_schedule).__name__ == "FallingSchedule"


def test_rules_of_schedules_hold_for_each(tmp_path):
    (tmp_path / "rising.py").write_text(RISING)
    assert set(codes(tmp_path, **two(tmp_path, ", slow_schedule: ./rising.py"))) == {"X308"}
    given = two(tmp_path, ", slow_schedule: {kind: linear, eps: 0.1}")
    assert codes(tmp_path, **given) == ["X353"]
    assert codes(tmp_path, **two(tmp_path, ", slow_schedule: linear")) == []


@pytest.mark.parametrize("key", ["noise_schedule", "alpha_schedule"])
def test_a_synonym_of_the_schedule_is_no_further_one(key, tmp_path):
    assert codes(tmp_path, noise=f"{{process: mask, {key}: cosine}}") == ["X102"]


def test_a_further_schedule_has_the_type_of_a_schedule(tmp_path):
    changes = two(tmp_path)
    other = TWO.replace("slow_schedule: Schedule", "slow_schedule: Tensor")
    (tmp_path / "two.py").write_text(other)
    assert codes(tmp_path, **changes) == ["X201"]


def test_a_bound_is_the_same_with_other_times(tmp_path):
    """The mean of 20,000 rows, in standard errors. The control: not divided by the density."""
    (tmp_path / "early.py").write_text(EARLY)
    noise = "process: mask, schedule: {kind: polynomial, power: 2}"
    uniform = package(tmp_path, noise=f"{{{noise}}}")
    early = package(tmp_path, noise=f"{{{noise}, time: ./early.py}}")
    config = uniform.Config.small()
    torch.manual_seed(0)
    model = uniform.Model(config)
    tokens = torch.randint(0, 8, (20_000, 5), generator=torch.Generator().manual_seed(0))
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, 0] = True

    @torch.no_grad()
    def nats(method, function):
        x = method.Examples(tokens, tokens >= 0, fixed)
        found = function(model, x, method.Config.small(), torch.Generator().manual_seed(1))
        return found if isinstance(found, torch.Tensor) else -sum(found.values())

    one, other = (nats(m, m.log_likelihood_bound) for m in (uniform, early))
    wrong = nats(early, early.objective)
    error = ((one.var() + other.var()) / len(one)).sqrt()
    assert abs(one.mean() - other.mean()) < 5 * error
    assert abs(one.mean() - wrong.mean()) > 12 * error


def test_a_density_reads_the_times(tmp_path):
    noise = "{process: mask, time: ./early.py}"
    for source, found in (
        (EARLY, []),
        (EARLY.partition("def density")[0], ["X354"]),
        (EARLY.replace("density(t: Tensor)", "density(x: Examples)"), ["X112"]),
        (EARLY.replace("density(t: Tensor)", "density(t: Tensor, place: Tensor)"), ["X201"]),
    ):
        (tmp_path / "early.py").write_text(source)
        assert codes(tmp_path, noise=noise) == found
