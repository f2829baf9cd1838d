"""Pairs of axis values that `check` accepts together build, train a step and sample.

A candidate is a value, or none, for every axis. Of each pair of values some completion must pass;
a few candidates are then built in which all these pairs occur. The suite takes a share of the
pairs, `pytest --full` all of them.
"""

import random
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from methods import checked, package, steps_and_samples, text
from scheduling import shares

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.frontend.load import Document, parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.diagnostics import Failed, Span

pytestmark = pytest.mark.slow
VALUES = {a.path: list(components_of(a)) for a in axes.AXES}
RULES = {a.path: a.wire for a in axes.RULES}
INNER = [a.path for a in axes.INSIDE]
READS = {
    v: {w for f in c.functions.values() for w in f.wires}
    for v, c in components_of(axes.SAMPLER).items()
}
Candidate = dict[str, str]  # the path of an axis -> one of its values; axes may be left out

MASK = {"noise.process": "mask", "target": "masked_tokens", "loss": "cross_entropy"}
NONE = {"noise.process": "none", "target": "next_token", "loss": "cross_entropy"}
DROP = {"noise.process": "drop", "target": "gap_tokens", "loss": "gap_cross_entropy"}
UNIFORM = {
    "noise.process": "uniform",
    "target": "clean_tokens",
    "loss": "interpolating_bound",
    "sampler": "uniform_posterior",
    "backbone": "rotary_timed",
}
MIXTURE = UNIFORM | {
    "noise.process": "mixture",
    "noise.schedule": "hybrid",
    "sampler": "mixture_posterior",
}
STEPPED = MIXTURE | {
    "noise.schedule": "stationary",
    "noise.time": "discrete",
    "loss": "posterior_kl",
}
TREE = DROP | {
    "target": "gap_shares",
    "loss": "share_cross_entropy",
    "sampler": "parallel_insertion",
    "backbone": "rotary",
}
WHOLE = DROP | {
    "target": "gap_shares",
    "loss": "tree_cross_entropy",
    "sampler": "insertion",
    "backbone": "rotary",
}
BOTH = {
    "noise.process": "drop_then_mask",
    "noise.schedule": "linear",
    "target": "masked_tokens",
    "loss": "cross_entropy",
    "sampler": "tau_leaping",
    "sampler.order": "random",
    "backbone": "rotary_timed",
}
GROWN = {
    "noise.process": "independent_drop",
    "target": "gap_counts",
    "loss": "count_divergence",
    "sampler": "insertion_leaping",
    "backbone": "rotary_timed",
}
EDITS = GROWN | {"noise.process": "edits", "sampler": "edit_leaping"}
PROMPTED = EDITS | {"noise.process": "prompt_edits"}
EXPECTED = GROWN | {"target": "expected_gap_counts"}
CLOCK = GROWN | {"target": "missing_count", "sampler": "timed_insertion"}
POISSON = CLOCK | {"noise.process": "poisson_drop", "target": "poisson_count"}
ROUNDS = DROP | {
    "target": "placeholder_counts",
    "loss": "placeholder_cross_entropy",
    "sampler": "edit_rounds",
    "backbone": "rotary",
}
PLAIN = (
    DROP | {"sampler": "insertion", "backbone": "rotary"},
    DROP | {"sampler": "joint_insertion", "backbone": "rotary"},
    *(UNIFORM, MIXTURE, STEPPED, TREE, BOTH, GROWN, EXPECTED, CLOCK, POISSON, EDITS, ROUNDS),
    *(PROMPTED, WHOLE),
    NONE | {"sampler": "autoregressive", "backbone": "rotary"},
)
PER_GAP = ("count_divergence", "per_gap_cross_entropy")
JOINT = ("count_divergence", "joint_cross_entropy")
TOGETHER = {  # by process, the targets and the losses of one spec
    "drop": (
        ("placeholder_counts", "masked_tokens", "wrong_tokens"),
        ("placeholder_cross_entropy", "cross_entropy", "delete_cross_entropy"),
    ),
    "drop_then_mask": (("masked_tokens", "gap_counts"), ("cross_entropy", "count_divergence")),
    "independent_drop": (
        ("gap_counts", "gap_tokens"),
        ("expected_gap_counts", "expected_gap_tokens"),
        ("missing_count", "gap_tokens"),
        PER_GAP,
        JOINT,
    ),
    "poisson_drop": (("poisson_count", "gap_tokens"), JOINT),
    "edits": (
        ("gap_counts", "gap_tokens", "deletions", "substitutions", "substitutes"),
        (
            "count_divergence",
            "per_gap_cross_entropy",
            "delete_divergence",
            "substitute_divergence",
            "cross_entropy",
        ),
    ),
}
TOGETHER["prompt_edits"] = TOGETHER["edits"]
PARTNERS = {  # what stands beside a value in the list of a spec that has two
    "gap_tokens": "stop",
    "stop": "gap_tokens",
    "tree_cross_entropy": "stop_cross_entropy",
    "gap_cross_entropy": "stop_cross_entropy",
    "insertion_bound": "stop_cross_entropy",
    "stop_cross_entropy": "gap_cross_entropy",
    "weighted_stop_cross_entropy": "gap_cross_entropy",
}
DRAWS = 2  # completions of a pair before the plain ones
SHARE = 16  # the suite takes every sixteenth pair
PARTS = 8  # in which the accepted candidates are built
APART = [
    (("noise.process", "none"), ("target", "masked_tokens")),
    (("noise.process", "none"), ("sampler", "ancestral")),
    (("noise.process", "mask"), ("sampler", "autoregressive")),
    (("noise.process", "mask"), ("sampler", "insertion")),
    (("noise.process", "drop"), ("sampler", "threshold")),
    (("noise.process", "mask"), ("loss.weight", "per_count")),
    (("sampler", "insertion"), ("backbone", "dit")),
    (("noise.count", "uniform"), ("noise.time", "stratified")),
    (("noise.count", "uniform"), ("backbone", "dit")),
    (("sampler", "autoregressive"), ("backbone", "dit")),
    (("sampler.wrap", "blocks"), ("backbone", "dit")),
    (("sampler", "threshold"), ("sampler.order", "margin")),
    (("sampler", "ancestral"), ("sampler.remasking", "cap")),
]


def parts(c: Candidate) -> dict[str, str]:
    """A candidate as the parts of a spec."""
    process = c["noise.process"]
    noise = {p.partition(".")[2]: v for p, v in c.items() if p.startswith("noise.")}
    if "roll_in" in noise or (process == "drop" and c["target"] in TOGETHER["drop"][0]):
        noise |= {"roll_in": "[placeholders, model_fill]"}
    sampler = [f"kind: {c['sampler']}"]
    sampler += [f"{p.partition('.')[2]}: {c[p]}" for p in INNER if p in c]
    weighed = f"{c['loss']}: {{weight: {c.get('loss.weight', 'one')}}}"
    noise |= {"drop_schedule": "linear"} if process == "drop_then_mask" else {}
    targets, losses = (others(c[path], process) for path in ("target", "loss"))
    targets += ["stop"] * (
        c["loss"] == "tree_cross_entropy" and "stop" not in (*targets, c["target"])
    )
    return {
        "noise": f"{{{', '.join(f'{k}: {v}' for k, v in noise.items())}}}",
        "target": f"[{', '.join([c['target'], *targets])}]",
        "loss": f"[{', '.join([weighed, *losses])}]",
        "sampler": f"{{{', '.join(sampler)}}}",
        "backbone": c["backbone"],
    }


def others(value: str, process: str) -> list[str]:
    """What stands beside a target or a loss."""
    for group in TOGETHER.get(process, ()):
        if value in group:
            return [v for v in group if v != value]
    return [PARTNERS[value]] if value in PARTNERS else []


@cache
def parsed(part: str) -> Any:
    return parse(f"part: {part}\n".encode()).values["part"]


def passes(c: Candidate) -> bool:
    """Is it accepted? Asked of thousands, so that no text is read anew."""
    values = {"xlm_spec": 1, "name": "method"} | {k: parsed(v) for k, v in parts(c).items()}
    try:
        spec = validate(Document("", "", values, {}, {(): Span(0, 0, 0, 1)}))
        check(compose(spec))
    except Failed:
        return False
    return True


def ends(c: Candidate) -> set[str]:
    """The kinds of diagnostics that its text ends in; none if it passes."""
    try:
        checked(text(parts(c)))
        return set()
    except Failed as e:
        return {d.code[:2] if d.span else "no place" for d in e.diagnostics}


def completion(pair: Candidate, rng: random.Random) -> Candidate:
    """A pair with the rest drawn; half of the optional axes left out, and rules that none reads."""
    c = {
        "sampler": rng.choice(VALUES["sampler"]),
        "backbone": rng.choice(VALUES["backbone"]),
    } | pair
    for path in ("noise.schedule", "noise.time", "noise.count", "loss.weight", *INNER):
        reads = path not in RULES or RULES[path] in READS[c["sampler"]]
        if reads and rng.random() < 0.5:
            c[path] = rng.choice(VALUES[path])
    inserts = c["sampler"].endswith("insertion")
    return (DROP if inserts else MASK) | c | pair


def pairs_of(c: Candidate) -> set[frozenset]:
    return {frozenset(p) for p in combinations(c.items(), 2)}


@pytest.fixture(scope="module")
def explored(request) -> tuple[list[Candidate], set[frozenset], list[Candidate]]:
    """Candidates that pass, the pairs that occur in none, and candidates that are refused."""
    rng, found, refused = random.Random(0), [], []
    seen: set[frozenset] = set()
    used: set[tuple[str, str]] = set()
    singles = [(path, v) for path, known in VALUES.items() for v in known]
    wanted = {frozenset(p) for p in combinations(singles, 2) if p[0][0] != p[1][0]}
    every = sorted(wanted, key=sorted)
    full = request.config.getoption("--full")
    pairs = every if full else [*every[::SHARE], *map(frozenset, APART)]
    for number, pair in enumerate([*pairs, *every]):
        tried = number >= len(pairs) and all(v in used for v in pair)  # then it adds no value
        if pair in seen or tried:
            continue
        for c in candidates(dict(sorted(pair)), rng):
            if passes(c):
                found.append(c)
                seen |= pairs_of(c)
                used |= {*c.items()}
                break
            refused.append(c)
    return covering(found), {*pairs} - seen, refused


def covering(found: list[Candidate]) -> list[Candidate]:
    """Some of the candidates in which all pairs of all of them occur, those with most first."""
    chosen, missing = [], set().union(*map(pairs_of, found))
    left = {i: pairs_of(c) for i, c in enumerate(found)}
    while missing:
        best = max(left, key=lambda i: len(left[i] & missing))
        missing -= left.pop(best)
        chosen.append(found[best])
    return chosen


def candidates(pair: Candidate, rng: random.Random):
    """Drawn completions first, since they hold more pairs; then plain ones."""
    rules = {w for path, w in RULES.items() if path in pair}
    readers = [v for v, reads in READS.items() if rules <= reads] or VALUES["sampler"]
    for _ in range(DRAWS):
        sampler = {} if "sampler" in pair else {"sampler": rng.choice(readers)}
        yield completion(pair | sampler, rng)
    for base in (MASK | {"sampler": readers[0], "backbone": "rotary"}, *PLAIN):
        yield base | pair


def test_every_value_is_accepted_somewhere(explored):
    accepted, _, _ = explored
    for path, known in VALUES.items():
        for value in known:
            assert any(c.get(path) == value for c in accepted), f"{path}: {value}"


def test_misfits_are_refused_each_with_its_place(explored):
    _, apart, refused = explored
    codes = set().union(*(ends(c) for c in refused[::20]))
    assert codes == {"X2", "X3"}
    for pair in APART:
        assert frozenset(pair) in apart, pair


@pytest.mark.parametrize("part", shares(range(PARTS), 2))
def test_it_builds_steps_and_samples(part, explored, tmp_path):
    accepted, _, _ = explored
    for candidate in accepted[part::PARTS]:
        try:
            steps_and_samples(package(tmp_path, parts(candidate)))
        except Exception as e:
            e.add_note(" ".join(candidate.values()))
            raise
