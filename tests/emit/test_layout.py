"""The plan is data; `layout` turns it into lines whatever the length of its names."""

import ast
import json
import subprocess
import sys

import pytest
from methods import ROOT

from xlm_spec.compiler.emit import code
from xlm_spec.compiler.emit.code import WIDTH, field, function, mapping
from xlm_spec.compiler.emit.plan import Assign, Field, For, Function, Leave, Nats, Return, Yield
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.plan import plan_of

SPECS = sorted((ROOT / "specs").glob("*.yaml"))
VERBATIM = {"source", "parts", "own", "laws"}  # texts of the spec and of components


def strings(node):
    if isinstance(node, dict):
        return [*node, *(s for v in node.values() for s in strings(v))]
    if isinstance(node, list):
        return [s for v in node for s in strings(v)]
    return [node] if isinstance(node, str) else []


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_the_plan_holds_no_lines(spec):
    """No line break but in docstrings, no indentation, no comment."""
    plan = json.loads(plan_of(spec).as_json())
    docs = {m["doc"] for m in plan["modules"]}
    data = {k: v for k, v in plan.items() if k not in VERBATIM}
    found = [s for s in strings(data) if "\n" in s or s.startswith(" ") or "  # " in s]
    assert set(found) <= docs


def body(n):
    """Statements of every kind, whose names have a part of length n."""
    x = "x" * n
    call = Call(f"call_{x}", ("a", f"b_{x}", "c=1"))
    step = Assign("state", Call(f"step_{x}", (f"state_{x}",)), "(B, L)")
    loop = For("t, s", Call(f"grid_{x}", ("state",)), (step, Yield(call), Leave(call, "return")))
    nats = [Nats(call), Nats(call, f"w_{x}"), Nats(call, density="p"), Nats(call, f"w_{x}", "p")]
    sums = [Assign("nats", nats[0]), *(Assign("nats", v, operator="+=") for v in nats)]
    inner = f'inner=Inner(text_{x}="a, b", deep=Deep(number_{x}=1))'
    nested = Assign("made", Call("Outer", (inner, "e=1")))
    return (Assign(f"z_{x}", call, "(B, 1)"), nested, loop, *sums, Return(nats[3], "-"))


def functions(n):
    x = "x" * n
    terms = {f"term_{i}": Nats(Call(f"f_{x}", ("a", "b")), w) for i, w in enumerate(("", "w"))}
    return [
        Function(f"f_{x}", ("model", f"y_{x}: int"), "Iterator[State]", body(n), f"Does {x}."),
        Function(f"g_{x}", ("self", "model"), "", (Return(terms),), "Doc."),
    ]


@pytest.mark.parametrize("n", [1, 13, 17, 21, 25, 29, 33, 37, 41])
def test_a_broken_line_means_the_same_and_fits(n, monkeypatch):
    lines = [line for f in functions(n) for line in function(f)]
    assert max(map(len, lines)) <= WIDTH
    monkeypatch.setattr(code, "WIDTH", 10_000)
    unbroken = [line for f in functions(n) for line in function(f)]
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse("\n".join(unbroken)))
    assert (lines == unbroken) == (n < 17)


def test_lines_of_every_length_are_in_the_format_of_ruff(tmp_path):
    """Up to names of 42 letters; the control has one more line break."""
    made = ["\n".join(function(f)) for n in range(1, 43) for f in functions(n)]
    done = ruff_format(tmp_path / "made.py", "\n\n\n".join(made))
    assert done.returncode == 0, done.stdout
    assert ruff_format(tmp_path / "made.py", made[0].replace("(", "(\n", 1)).returncode == 1


def ruff_format(file, text):
    file.write_text(text + "\n")
    command = [sys.executable, "-m", "ruff", "format", "--line-length=100", "--diff", str(file)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("length", [1, 80, 100])
def test_fields_and_mappings_stay_valid_at_every_length(length):
    """Also a text that looks like a comment stays in its string."""
    x = "x" * length
    fields = [
        Field("a", "str", f'"{x}  # {x}"', "the meaning"),
        Field("b", "float", meaning=f"the meaning of {x}"),
        Field(f"c_{x}", f"C_{x}", Call(f"C_{x}")),
        Field("d", "D", Call("D", (f"a={x!r}", "b=1")), "the meaning"),
    ]
    lines = ["class A:", *(line for f in fields for line in field(f))]
    entries = {"k": f'"{x}"', x: "1"}
    tree = ast.parse("\n".join([*lines, *mapping("M = ", entries, "why")]))
    names = [ast.unparse(node.target) for node in tree.body[0].body]
    assert names == ["a", "b", f"c_{x}", "d"]
    assert ast.literal_eval(tree.body[0].body[0].value) == f"{x}  # {x}"
    assert ast.literal_eval(tree.body[1].value) == {"k": x, x: 1}
    assert sum("# the meaning" in line for line in lines) == 3
