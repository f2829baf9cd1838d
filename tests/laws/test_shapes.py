"""A loss or a head with a value of another shape: a law names it."""

import pytest
from broken_packages import built, method
from mutants import Mutant

from xlm_spec import laws

HEADS = "heads have an output for each hidden state"
LOSSES = "losses have a value for each position or for each sequence"
VALUE = "return scatter(nats, target.row, target.col, hidden)"
STOP = "return self.linear(hidden).float()[:, 0]"
LOGITS = "return F.linear(hidden, self.linear.weight, bias).float()"

WRONG = [  # with a weight (B, 1) the value (B,) is broadcast to (B, B), and nothing raises
    (Mutant("(B,)", "masked", "loss", VALUE, f"{VALUE}.sum(1)"), LOSSES),
    (Mutant("(B,) unweighted", "left to right", "loss", VALUE, f"{VALUE}.sum(1)"), LOSSES),
    (Mutant("()", "masked", "loss", VALUE, f"{VALUE}.sum()"), LOSSES),
    (Mutant("(N, 1)", "insertion", "model", STOP, STOP.replace("[:, 0]", "")), HEADS),
    (Mutant("(N,) of (N, V)", "masked", "model", LOGITS, f"{LOGITS}[..., 0]"), HEADS),
    (Mutant("(1, N, V)", "masked", "model", LOGITS, f"{LOGITS}[None]"), HEADS),
]
NAMED = {
    "(B,)": "loss `cross_entropy` returns (40,) of 40 sequences with 4 positions, expected "
    "(40, 4) or (40, 1)",
    "(N, 1)": "head `stop_logit` returns (40, 1) from (40, 32), expected (40,)",
}


@pytest.mark.slow
@pytest.mark.parametrize(("wrong", "law"), WRONG, ids=lambda w: getattr(w, "name", ""))
def test_the_law_of_shapes_names_the_slip(wrong, law, tmp_path):
    """And no other law is tested. The control: the correct package."""
    folder = built(wrong.spec, tmp_path)
    shapes = [each for each in laws.LAWS if each.name in (HEADS, LOSSES)]
    assert {r.status for r in laws.verify(method(folder), shapes)} == {"held"}
    file = folder / "method" / f"{wrong.file}.py"
    source = file.read_text()
    assert source.count(wrong.old) == 1
    file.write_text(source.replace(wrong.old, wrong.new))
    m = method(folder)
    results = [*laws.verify(m)]
    assert {r.law for r in results} >= {each.name for each in laws.LAWS}
    [broken] = {r for r in results if r.status not in ("held", "unverified")}
    assert (broken.law, broken.status) == (law, "failed")
    assert NAMED.get(wrong.name, "returns (") in broken.line()
    claims = laws.claims_of(m, results)
    assert {(c.verdict, c.why) for c in claims} == {("unproved", f'not tested, as "{law}" failed')}
