"""A spec in an editor: what yaml-language-server offers, shows and underlines, over stdio."""

import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from editor_client import Editor
from methods import MASKED, ROOT, text

from xlm_spec.compiler.axes import (
    AROUND,
    AXES,
    INSIDE,
    LOSS,
    NOISE,
    ROLL_IN,
    RULES,
    SAMPLER,
    TARGET,
    WEIGHT,
    Axis,
    components_of,
)
from xlm_spec.compiler.frontend.schema import schema
from xlm_spec.compiler.runtime_settings import code, code_settings, entry_keys, settings, tasks

VERSION = "1.25.0"  # of yaml-language-server
SERVER = "node_modules/yaml-language-server/bin/yaml-language-server"
MISSING = [tool for tool in ("node", "npm") if not shutil.which(tool)]
MODELINE = "# yaml-language-server: $schema=spec.schema.json\n"
SETTINGS = {n.lower(): {p.name for p in ps} for n, ps in settings().fields.items()}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module")
def server(data_cache):
    """Installed once a cache: beside its place, and then moved there whole."""
    folder = Path(os.environ["XLM_SPEC_CACHE"]) / f"yaml-language-server-{VERSION}"
    if not folder.exists():
        made = folder.with_name(f"{folder.name}.{os.getpid()}")
        words = ["--no-save", "--no-audit", "--no-fund", "--prefix", made]
        command = [shutil.which("npm"), "install", *words, f"yaml-language-server@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        until = time.monotonic() + 30
        while not (made / SERVER).is_file() and time.monotonic() < until:
            time.sleep(0.1)  # npm has been seen to return before its files were there
        with suppress(OSError):  # another was faster
            made.rename(folder)
    assert (folder / SERVER).is_file()
    return folder / SERVER


@pytest.fixture(scope="module")
def editor(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("editor")
    shutil.copyfile(ROOT / "xlm_spec" / "spec.schema.json", folder / "spec.schema.json")
    opened = Editor(server, folder)
    yield opened
    opened.close()


def offered(editor: Editor, written: str, kind: str = "") -> set[str]:
    """The labels that are offered at the cursor: of keys, of values, or of both."""
    found = editor.completions(MODELINE + written)
    return {o.label for o in found if kind in ("", o.kind)}


def above(axis: Axis) -> str:
    """The lines above an axis in a spec, in block style, as deep as the axis stands."""
    if axis in (*NOISE, ROLL_IN):
        return "noise:\n  "
    if axis == WEIGHT:
        return "loss:\n  - cross_entropy:\n      "
    if axis in INSIDE:
        reads = next(v for v, c in components_of(SAMPLER).items() if axis in (*AROUND, *rules(c)))
        return f"sampler:\n  kind: {reads}\n  "
    return ""


def rules(sampler) -> list[Axis]:
    """Those that a sampler reads."""
    reads = {w for f in sampler.functions.values() for w in f.wires}
    return [a for a in RULES if a.wire in reads]


# ---- completion ----------------------------------------------------------------------------------


def test_sections_are_offered_and_those_written_are_not(editor):
    assert offered(editor, "‸\n", "key") == set(schema()["properties"])
    left = set(schema()["properties"]) - {"xlm_spec", "name"}
    assert offered(editor, "xlm_spec: 1\nname: method\n‸\n", "key") == left


def test_axes_of_the_noise_are_offered(editor):
    assert offered(editor, "noise:\n  process: mask\n  ‸\n") == {
        *("schedule", "time", "count", "roll_in")
    }


@pytest.mark.parametrize("axis", AXES, ids=lambda a: a.path)
def test_the_values_of_an_axis_are_offered_each_with_its_title_and_paper(axis, editor):
    found = editor.completions(f"{MODELINE}{above(axis)}{axis.key}: ‸\n")
    assert {o.label for o in found} == set(components_of(axis))
    for o in found:
        paper = components_of(axis)[o.label].paper
        assert o.told
        assert paper.partition(" (")[0].partition(";")[0] in o.told


@pytest.mark.parametrize("axis", [a for a in AXES if not a.many], ids=lambda a: a.path)
def test_the_parameters_of_the_chosen_value_are_offered_and_no_others(axis, editor):
    start = above(axis)
    inner = " " * (len(start) - start.rfind("\n") - 1 + 2)
    top = f"{start}{axis.key}:\n{inner}"
    assert offered(editor, f"{top}‸\n", "key") >= {"kind"}
    assert offered(editor, f"{top}kind: ‸\n") == set(components_of(axis))
    for value, c in components_of(axis).items():
        wanted = {p.name for p in c.parameters}
        if axis == SAMPLER:
            wanted |= {a.key for a in (*rules(c), *AROUND)}
        assert offered(editor, f"{top}kind: {value}\n{inner}‸\n", "key") == wanted, value


@pytest.mark.parametrize("axis", [a for a in AXES if a.many], ids=lambda a: a.path)
def test_items_of_a_list_are_offered_with_what_they_may_hold(axis, editor):
    start = above(axis)
    inner = " " * (len(start) - start.rfind("\n") - 1 + 2)
    top = f"{start}{axis.key}:\n{inner}- "
    assert offered(editor, f"{top}‸\n", "value") == set(components_of(axis))
    for value, c in components_of(axis).items():
        wanted = {p.name for p in c.parameters} | ({"weight", "of"} if axis == LOSS else set())
        assert offered(editor, f"{top}{value}:\n{inner}    ‸\n", "key") == wanted


def test_one_sampler_or_names_of_samplers(editor):
    assert offered(editor, "sampler:\n  ‸\n") == {"kind", "name"}
    assert offered(editor, "sampler:\n  fast: first_hitting\n  ‸\n") == {"name"}
    assert offered(editor, "sampler:\n  fast: ‸\n") == set(components_of(SAMPLER))
    found = offered(editor, "sampler:\n  fast:\n    kind: fixed_budget\n    ‸\n", "key")
    assert found == {"tokens_per_step", "order", "tokens", "wrap", "corrector"}


def test_within_braces_a_letter_opens_the_list(editor):
    assert offered(editor, "noise: {process: mask, schedule: {kind: polynomial, p‸}}") == {"power"}
    assert offered(editor, "loss: [cross_entropy: {weight: ‸}]") == set(components_of(WEIGHT))


def test_tasks_and_their_options_are_offered(editor):
    assert offered(editor, "data:\n  task: ‸\n") == set(tasks())
    for name, options in tasks().items():
        wanted = (SETTINGS["data"] | {p.name for p in options}) - {"task"}
        assert offered(editor, f"data:\n  task: {name}\n  ‸\n", "key") == wanted
    assert offered(editor, "data:\n  task: text\n  block: ‸\n") == {"128"}


def test_settings_of_training_are_offered(editor):
    assert offered(editor, "train:\n  ‸\n", "key") == SETTINGS["train"]
    assert offered(editor, "train:\n  precision: ‸\n") == {"32-true", "bf16-mixed", "16-mixed"}
    assert offered(editor, "train:\n  compile: ‸\n") == {"true", "false"}


@pytest.mark.parametrize("setting", code_settings())
def test_names_of_code_are_offered_with_what_they_are_and_their_options(setting, editor):
    section, key = setting.split(".")
    names = code_settings()[setting]
    found = editor.completions(f"{MODELINE}{section}:\n  {key}: ‸\n")
    assert {o.label for o in found} == set(names)
    assert all(o.told for o in found)
    top = f"{section}:\n  {key}:\n    "
    keys = {*entry_keys().get(setting, ())}
    assert offered(editor, f"{top}‸\n", "key") == {"kind", *keys}
    assert offered(editor, f"{top}kind: ‸\n") == set(names)
    for name, path in names.items():
        options = {p.name for p in code(path).options or ()}
        assert offered(editor, f"{top}kind: {name}\n    ‸\n", "key") == options | keys, name


def test_targets_are_offered_for_a_loss(editor):
    found = offered(editor, "loss:\n  - cross_entropy:\n      of: ‸\n")
    assert found == set(components_of(TARGET))


def test_control_without_the_modeline_nothing_is_offered(editor):
    assert editor.completions("noise:\n  process: ‸\n") == []


# ---- hover ---------------------------------------------------------------------------------------


HOVERS = {  # what is pointed at -> where, and what is shown
    "an axis": (
        "noise: {pro‸cess: mask}",
        [
            "noise.process",
            "How the clean sequence x_0 becomes the corrupted sequence x_t.",
            "`drop`: ",
            "2406.07524",
        ],
    ),
    "a value": (
        "noise: {schedule: poly‸nomial}",
        ["* `polynomial`: alpha(t) = 1 - t^power.", "https://arxiv.org/abs/2406.04329"],
    ),
    "an axis with parameters": (
        "noise: {sche‸dule: {kind: polynomial}}",
        ["`polynomial`: alpha(t) = 1 - t^power.", "MD4"],
    ),
    "a parameter": (
        "noise: {schedule: {kind: polynomial, pow‸er: 3}}",
        ["1 is linear.", "`float` in `[1, 10]`, default `2.0`"],
    ),
    "a loss": ("loss: [cross_‸entropy: {weight: elbo}]", ["log p(token"]),
    "a weight": (
        "loss: [cross_entropy: {we‸ight: elbo}]",
        ["Default: `one`.", "`elbo_clipped`: "],
    ),
    "a number of a named sampler": (
        "sampler: {a: {kind: remask, st‸eps: 3}}",
        ["`int` in `[1, inf)`, default `128`"],
    ),
    "a task": (
        "data: {ta‸sk: text}",
        ["`text`: Text of a file", "`star_easy`: StarEasy of the ILM"],
    ),
    "a setting": ("train: {l‸r: 1e-4}", ["Peak learning rate.", "default `0.0001`"]),
    "code": ("train: {opti‸mizer: adam}", ["Optimiser", "`adam`: `torch.optim.Adam`"]),
    "shipped code": ("train: {lr_schedule: ws‸d}", ["`wsd`: Warm-up, stable, decay"]),
    "the name of code": ("data: {metrics: {ki‸nd: a.B}}", ["A name, an import path, or ./file"]),
    "an option of code": (
        "train: {lr_schedule: {kind: wsd, dec‸ay: 0.1}}",
        ["Share of the run", "`float` in `(0, 1]`, default `0.2`"],
    ),
    "a head": ("head: token_‸logits", ["`token_logits`: Logits of the tokens at a position."]),
    "a number of a wrap": (
        "sampler: {kind: ancestral, wrap: [blocks: {si‸ze: 3}]}",
        ["Free positions per block.", "`int` in `[1, inf)`"],
    ),
    "a corrector": ("sampler: {kind: ancestral, corr‸ector: gibbs}", ["keep the distribution"]),
    "a roll-in": ("noise: {process: mask, roll‸_in: ./mine.py}", ["Further inputs of the model"]),
    "a further schedule": ("noise: {process: mask, drop_‸schedule: linear}", ["alpha(t)"]),
    "the target of a loss": (
        "loss: [cross_entropy: {o‸f: next_token}]",
        ["The target of this loss", "`next_token`: "],
    ),
    "a weight that is a number": (
        "loss: [cross_entropy: {weight: 0.‸5}]",
        ["or a number of at least 0."],
    ),
    "a section": ("tr‸ain: {lr: 1e-4}", ["Training settings"]),
}


@pytest.mark.parametrize(("pointed", "wanted"), HOVERS.values(), ids=HOVERS)
def test_hover(pointed, wanted, editor):
    shown = editor.hover(MODELINE + pointed + "\n")
    assert [w for w in wanted if w not in shown] == [], shown


# ---- diagnostics ---------------------------------------------------------------------------------

WRONG = {  # changes of a spec -> what is underlined, and a part of what is told
    ("noise", "{process: mask, shedule: linear}"): ("shedule", "Property shedule is not allowed"),
    ("noise", "{process: masks}"): ("masks", '"mask"'),
    ("noise", "{process: mask, schedule: {kind: linear, power: 2}}"): ("power", "not allowed"),
    ("target", "[masked_token]"): ("masked_token", '"masked_tokens"'),
    ("loss", "[cross_entropy: {wait: elbo}]"): ("wait", "not allowed"),
    ("sampler", "{kind: ancestral, steps: 0}"): ("0", "below the minimum of 1"),
    ("sampler", "{kind: ancestral, order: random}"): ("order: random", "does not use `order`"),
    ("data", "{task: star_esay}"): ("star_esay", '"star_easy"'),
    ("data", "{task: star_easy, block: 64}"): (
        "block: 64",
        "task `star_easy` has no option `block`",
    ),
    ("train", "{lr: fast}"): ("fast", 'Expected "number"'),
    ("train", "{optimizer: adamm}"): ("adamm", '"adam"'),
    ("train", "{optimizer: {name: adam}}"): ("{name: adam}", "Incorrect type"),
    ("train", "{lr_schedule: {kind: wsd, dekay: 1}}"): ("dekay", "not allowed"),
    ("train", "{loggers: [csvv]}"): ("csvv", '"csv"'),
    ("train", "{callbacks: [early]}"): ("early", "write an import path"),
    ("train", "{strategy: dpp}"): ("dpp", '"ddp"'),
    ("data", "{metrics: ./mine.py}"): ("./mine.py", '"edit_distance"'),
    ("head", "token_logit"): ("token_logit", '"token_logits"'),
    ("sampler", "{kind: ancestral, wrap: [blocks: {sise: 2}]}"): ("sise", "not allowed"),
    ("sampler", "{kind: ancestral, corrector: gibs}"): ("gibs", '"gibbs"'),
    ("noise", "{process: mask, roll_in: unrolled}"): ("unrolled", '"placeholders"'),
    ("noise", "{process: mask, drop_schedule: lineer}"): ("lineer", '"linear"'),
    ("noise", "{process: mask, drop_schedul: linear}"): ("drop_schedul", "not allowed"),
    ("loss", "[cross_entropy: {weight: elb}]"): ("elb", '"elbo"'),
    ("loss", "[cross_entropy: {of: 5}]"): ("5", 'Expected "string"'),
}


def test_mistakes_are_underlined_where_they_stand(editor):
    specs = [MODELINE + text(MASKED, **{section: value}) for section, value in WRONG]
    found = editor.problems(*specs)
    for (underlined, told), problems in zip(WRONG.values(), found, strict=True):
        assert [where for where, _ in problems] == [underlined]
        assert told in problems[0][1]


def test_nothing_is_underlined_in_specs_that_hold(editor):
    shipped = [s.read_text().partition("\n")[2] for s in sorted((ROOT / "specs").glob("*.yaml"))]
    own = [text(MASKED, data="{task: ./my_task.py}"), text(MASKED, sampler="{a: first_hitting}")]
    own += [
        text(
            MASKED,
            loss="[cross_entropy: {weight: 0.5, of: mine}]",
            head="[token_logits]",
            sampler="{kind: ancestral, wrap: blocks, corrector: [gibbs: {moves: 2}]}",
            data="{metrics: [torchmetrics.MeanMetric]}",
            train="{optimizer: {kind: adam, eps: 1}, loggers: [csv, ./m.py:N], strategy: ddp}",
        )
    ]
    own += [
        text(MASKED, noise="{process: ./a.py, count: {kind: ./b.py, c: 1}}", loss="[./d.py: {}]")
    ]
    assert len(shipped) > 5
    assert editor.problems(*(MODELINE + s for s in [*shipped, *own])) == [[]] * len(shipped + own)
