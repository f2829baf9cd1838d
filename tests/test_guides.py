"""The guides, word for word. `--rewrite` writes what their commands print into the pages."""

import pytest
from making import ROOT
from showing import copy_of_the_repository, follow, printed, released_copy, shown

GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
IN_AN_EMPTY_FOLDER = {
    "paper",
    "component",
    "compose",
}  # with the package installed; the others stand in a clone


@pytest.mark.parametrize("guide", GUIDES, ids=lambda p: p.stem)
def test_guide(guide, tmp_path, request):
    folder, more = tmp_path / "work", {}
    if guide.stem not in IN_AN_EMPTY_FOLDER:
        folder = copy_of_the_repository(folder)
        more = {"PYTHONPATH": str(folder)}
    if guide.stem == "edit":  # about releases
        more = {"PYTHONPATH": str(released_copy(tmp_path / "released"))}
        folder = tmp_path / "empty"
    folder.mkdir(exist_ok=True)
    page = guide.read_text()
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
