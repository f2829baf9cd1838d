"""What a run reads of its data: rows of each stage, their layout, batches."""
