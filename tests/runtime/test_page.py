"""`generate --html`: one page that holds all it needs, and holds it safely."""

import re
import shutil
import subprocess

import pytest
from methods import PLAIN, ROOT
from package_runs import run
from trajectory_pages import Characters, Found, Method

from xlm_spec.runtime.data.tokenizers import WordTokenizer

LETTERS = Characters(("a", "b", "c", "d", "e", "f", " ", "\n"))
HOSTILE = WordTokenizer((
    "</script><script>document.title='taken'</script>",
    "<!--", "<script>", "<img src=x onerror=document.title='taken'>", "&lt;", "$title", "ü\u2028",
    "\udcff",
))  # fmt: skip
FILL = [list("___"), list("_b_"), list("ab_"), list("abc")]


def replayed(frames: list) -> list[list]:
    """The cells of every frame, as player.js makes them of what changed."""
    cells, states = [], []
    for _, _, splices in frames:
        for place, gone, came in reversed(splices):
            cells = [*cells[:place], *came, *cells[place + gone :]]
        states.append(cells)
    return states


@pytest.fixture(scope="module")
def written(trained, tmp_path_factory):
    """A page of three prompts, and what was printed beside it."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    done = run("mdlm", "generate", "--run", trained, "-n", 3, "--html", file)
    return file.read_text(encoding="utf-8"), done.stdout


@pytest.mark.slow
def test_every_sampler_on_every_prompt(written, trained):
    page, printed = written
    found = Found(page)
    assert re.findall("<h3>(.*?)</h3>", page) == ["ancestral", "confidence"] * 3
    assert "mdlm on star_mini" in found.text
    assert re.search(r"best.ckpt of step \d+ · size cpu · [\d,]+ parameters · seed 0", found.text)
    for sample in found.data["samples"]:
        ancestral, confidence = sample
        assert ancestral[-1][0] == 128
        assert [step for step, _, _ in confidence] == list(range(6))
        assert [calls for _, calls, _ in confidence] == list(range(6))
    same = run("mdlm", "generate", "--run", trained, "-n", 3)
    assert printed == same.stdout


def test_the_texts_are_those_that_are_printed(written, trained):
    found, printed = Found(written[0]), written[1]
    other = run("mdlm", "generate", "--run", trained, "-n", 3, "--sampler", "confidence")
    for line in [*printed.splitlines(), *other.stdout.splitlines()]:
        assert line.replace(" -> ", " ").strip() in found.text


def test_one_sampler_alone(trained, tmp_path):
    file = tmp_path / "page.html"
    run("mdlm", "generate", "--run", trained, "--sampler", "confidence", "--html", file)
    assert "ancestral" not in Found(file.read_text(encoding="utf-8")).text


def test_nothing_is_loaded_from_elsewhere(written):
    page = written[0]
    assert not [a for _, attrs in Found(page).elements for a in attrs if a in ("src", "href")]
    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import|\bimport\b|fetch\(|innerHTML", page)
    assert set(re.findall(r"\w+://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}  # a name


def test_hostile_words_are_escaped(tmp_path):
    page = Method(tmp_path, HOSTILE).page(one=[["_"] * 8, HOSTILE.words])
    page.encode("utf-8", "xmlcharrefreplace")
    found = Found(page)
    assert [tag for tag, _ in found.elements].count("script") == 2  # the data, player.js
    assert "img" not in [tag for tag, _ in found.elements]
    assert list(found.data["words"].values()) == [*HOSTILE.words, "_"]
    assert " ".join(HOSTILE.words[:6]) in found.text


def test_states_are_stored_as_differences(tmp_path):
    method = Method(tmp_path, LETTERS)
    growing = ["ab<", "ab<d", "ab<cd", "ab<c_d", "ab<ced", "ab<ed"]
    found = Found(method.page(filling=FILL, growing=growing)).data
    filling, growing = found["samples"][0]
    mask, given = found["mask"], -1
    assert replayed(filling)[1] == [[mask, 0, 0], [1, 1, 1], [mask, 0, 0]]
    assert filling[1] == [1, 1, [[1, 1, [[1, 1, 1]]]]]
    prompt = [[0, 0, given], [1, 0, given]]
    assert replayed(growing)[-2:] == [
        [*prompt, [2, 2, 1], [4, 4, 1], [3, 1, 1]],
        [*prompt, [2, 5, -2], [4, 4, 1], [3, 1, 1]],
    ]


def test_edits_are_stored_as_what_they_are(tmp_path):
    """A deleted token stays for a state; a substituted one names the token that was there."""
    method = Method(tmp_path, LETTERS)
    states = ["ab<cd", "ab<cf", "ab<caf", "ab<af"]
    page = method.page(edits=states, grows=["ab<", "ab<c"])
    found = Found(page).data
    edits, _ = found["samples"][0]
    assert found["edits"]
    assert replayed(edits)[1] == [[0, 0, -1], [1, 0, -1], [2, 0, 0], [5, 1, 1, 3]]
    assert replayed(edits)[3] == [[0, 0, -1], [1, 0, -1], [2, 3, -2], [0, 2, 1], [5, 1, 1, 3]]
    assert '<span class="fixed">ab</span>af</p>' in page
    for grows in (["ab<", "ab<c", "ab<cd"], FILL):
        assert not Found(method.page(one=grows)).data["edits"]


def test_unchanged_states_are_left_out(tmp_path):
    method = Method(tmp_path, LETTERS)
    quiet = method.drawn(["__", "__", "a_", "a_", "ab", "ab", "ab"])
    quiet.calls_until = [0, 0, 1, 2, 3, 3, 3]
    method.drawn = lambda states: quiet
    [[frames]] = Found(method.page(one=[])).data["samples"]
    assert [frame[:2] for frame in frames] == [[0, 0], [2, 1], [3, 2], [4, 3], [6, 3]]


def test_the_end_is_not_part_of_the_text_without_javascript(tmp_path):
    page = Method(tmp_path, LETTERS).page(one=["ab<____", "ab<cd.a"])
    assert '<span class="fixed">ab</span>cd</p>' in page


def test_tokens_are_spaced_where_the_text_is(tmp_path):
    assert not Found(Method(tmp_path, LETTERS).page(one=FILL)).data["spaced"]
    assert Found(Method(tmp_path, WordTokenizer(LETTERS.words)).page(one=FILL)).data["spaced"]


def test_the_schedule_is_drawn_where_there_is_one(tmp_path):
    curve = Found(Method(tmp_path, LETTERS).page(one=FILL)).data["curve"]
    assert (curve[0], curve[16], curve[-1]) == (1, 0.5, 0)
    assert Found(Method(tmp_path, LETTERS, PLAIN).page(one=["", "a", "ab"])).data["curve"] == []


def test_a_long_trajectory_is_a_small_file(tmp_path):
    """512 tokens in 512 steps: far less than every state in full."""
    text = "abcdef \n" * 64
    states = ["_" * (512 - n) + text[512 - n :] for n in range(513)]
    assert len(Method(tmp_path, LETTERS).page(one=states)) < 50_000


def test_an_unwritable_file_is_an_error_before_sampling(trained, tmp_path):
    for file in (tmp_path, tmp_path / "no" / "page.html"):
        done = run("mdlm", "generate", "--run", trained, "--html", file, check=False)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("error[") == done.stderr.count("error[X704]") == 1


SHOW = r"""
const { readFileSync } = require("fs");
const [player, page] = process.argv.slice(1).map((file) => readFileSync(file, "utf8"));
const textContent = page.match(/application.json">(.*?)<.script>/)[1];
const document = { getElementById: () => ({ textContent }) };
const show = `
  const frames = unfold(methods[0].samples[0][0], methods[0]), counts = countEdits(frames);
  return frames.flatMap((frame) => [counts.get(frame), ...frame.cells.map((cell) =>
    [textOf(cell), titleOf(cell), looks(cell, frame.step)].join(": "))]);`;
const [functions] = player.split("/** alpha(t) over t");
console.log(new Function("document", functions + show)(document).join("\n"));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_page_names_each_edit(tmp_path):
    page = Method(tmp_path, LETTERS).page(one=["ab<cd", "ab<cf", "ab<eecf", "ab<eef"])
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    player = ROOT / "xlm_spec" / "runtime" / "generation" / "player.js"
    command = ["node", "-e", SHOW, player, tmp_path / "page.html"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    *_, counts, first, second, e, other, gone, last = shown.splitlines()
    assert counts == "2 inserted, 1 deleted, 1 substituted"
    assert (first, second) == ("a: fixed: fixed", "b: fixed: fixed")
    assert e == other == "e: inserted in step 2: age-1"
    assert gone == "c: deleted in step 3: gone"
    assert last == "f: substituted for d in step 1: age-2 swapped"


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_a_browser_shows_it(tmp_path):
    """Hostile words too."""
    file = tmp_path / "page.html"
    words = HOSTILE.words[:7]  # Chromium prints no page with half a surrogate pair
    page = Method(tmp_path, HOSTILE).page(one=[["_"] * 7, words], two=[["_"], ["&lt;"]])
    file.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/user"]
    command = ["chromium", *flags, "--virtual-time-budget=2000", "--dump-dom", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    assert "<title>method_" in shown
    assert shown.count('class="cell age-') == 7 + 1 + 2  # and two ages in the legend
    assert "step 1 of 1\n1 network call\n7 of 7 generated" in shown
