"""The workflows `export` and `push`."""
