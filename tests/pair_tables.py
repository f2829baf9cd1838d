"""Tables of two columns, and the task `pairs` that reads them."""

from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.pairs import Options

SUMS = [(f"{i % 17} + {i // 17}", str(i % 17 + i // 17)) for i in range(289)]


def records(pairs):
    return [{"q": q, "a": a, "n": i} for i, (q, a) in enumerate(pairs)]


def written(file, pairs):
    """A table in the format of its suffix."""
    import pandas

    table = pandas.DataFrame(records(pairs))
    if file.suffix in (".csv", ".tsv"):
        table.to_csv(file, index=False, sep="," if file.suffix == ".csv" else "\t")
    elif file.suffix == ".parquet":
        table.to_parquet(file)
    else:
        table.to_json(file, orient="records", lines=file.suffix == ".jsonl")
    return file


def pairs(file, **options):
    return find("pairs").with_options(
        Options(**({"file": str(file), "prompt": "q", "answer": "a"} | options))
    )


def texts_of(task, split):
    rows = task.rows(split)
    columns = (*rows.prompt.tolist(), *rows.answer.tolist())
    lengths = (*rows.prompt_length.tolist(), *rows.answer_length.tolist())
    found = [task.tokenizer.decode(t[:n]) for t, n in zip(columns, lengths, strict=True)]
    half = len(rows.prompt)
    return list(zip(found[:half], found[half:], strict=True))
