"""Runs everything that the guides show. `--rewrite` updates the output of commands."""

import pytest
from code_blocks import (
    copy_of_the_repository,
    follow,
    installed_copy,
    keep_packages,
    printed,
    shown,
)
from methods import ROOT

pytestmark = pytest.mark.slow

GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
IN_AN_EMPTY_FOLDER = {  # with the package installed; the others stand in a clone
    *("paper", "component", "compose"),
    *("add-a-sampler", "add-a-noise-process", "add-a-backbone", "add-a-head"),
    *("a-family-of-your-own", "first-week", "extend-the-runtime", "publish"),
    "several-devices",
    "from-xlm",
}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda p: p.stem)
def test_guide(guide, tmp_path, request):
    folder, more = tmp_path / "work", {}
    if guide.stem not in IN_AN_EMPTY_FOLDER:
        folder = copy_of_the_repository(folder)
        more = {"PYTHONPATH": str(folder)}
    if guide.stem == "edit":  # needs the bundle of templates, as the reader's installation has it
        more = {"PYTHONPATH": str(installed_copy(tmp_path / "installed"))}
        folder = tmp_path / "empty"
    folder.mkdir(exist_ok=True)
    page = guide.read_text()
    if "make regen" in page:
        keep_packages(folder, "mdlm")
    now = follow(page, folder, **more)
    if request.config.getoption("--rewrite"):
        guide.write_text(now)
    assert request.config.getoption("--rewrite") or now == page


PAGE = """Write `a.txt`:

```yaml
x: 1
```

Add to `a.txt`:

```yaml
y: 2
```

So `a.txt` holds:

```yaml
x: 1

y: 2
```

```sh
mkdir b
cd b
```

```console
$ cat ../a.txt
x: 1

y: 2
```
"""


def test_a_page_is_followed(tmp_path):
    assert follow(PAGE, tmp_path) == PAGE
    assert [b.action for b in shown(PAGE)] == ["write", "add", "holds", "", ""]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "x: 1\n\ny: 2\n```\n\n```sh",
            "x: 1\n\ny: 3\n```\n\n```sh",
        ),  # a file that holds no such text
        ("mkdir b", "mkdir b/c"),  # a command that fails
        ("Add to `a.txt`:", "And so on."),  # a block that nothing tests
    ],
)
def test_control_a_page_that_is_wrong(old, new, tmp_path):
    assert old in PAGE
    with pytest.raises(AssertionError):
        follow(PAGE.replace(old, new), tmp_path)


def test_control_output_that_differs(tmp_path):
    assert printed("$ echo 1\n2\n", tmp_path) == "$ echo 1\n1\n"
