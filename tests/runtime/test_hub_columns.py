"""Cells of a CSV are the same texts in a local file and in a data set of the hub."""

import pytest

from xlm_spec.runtime.tasks.corpus import Source

CELLS = ["007", "1.0", "NA", "", "1e3", "2024-01-21", "true", '"quoted, too"']
README = (
    "---\nconfigs:\n- config_name: default\n  data_files:\n  - {split: train, path: part*}\n---\n"
)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("suffix", "mark"), [("csv", ","), ("tsv", "\t")])
def test_cells_are_texts_as_they_are_written(suffix, mark, streaming, tmp_path, monkeypatch):
    """A folder whose README.md configures it is read by the library, as the hub is."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    place = tmp_path / "set"
    place.mkdir()
    lines = [f"q{mark}n", *(f"{cell}{mark}{i}" for i, cell in enumerate(CELLS))]
    (place / f"part.{suffix}").write_text("\n".join(lines) + "\n")
    columns = {"data.prompt": "q", "data.answer": "n"}
    local = Source({"train": str(place / f"part.{suffix}")}).load(columns, streaming)["train"]
    (place / "README.md").write_text(README)
    hub = Source(hub=str(place)).load(columns, streaming)["train"]
    found = [[r for b in rows.iter(batch_size=3) for r in zip(b["q"], b["n"], strict=True)]
             for rows in (local, hub)]  # fmt: skip
    assert found[0] == found[1]
    assert found[1][0] == ("007", "0")
    assert [q for q, _ in found[1]][:7] == CELLS[:7]
