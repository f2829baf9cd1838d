"""What tasks are made of: tokenizers, rows, streams of records, metrics of answers."""
