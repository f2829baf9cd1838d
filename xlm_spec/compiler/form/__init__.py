"""Is the text of a spec YAML, and is what it holds a spec? Form alone (X0xx, X1xx)."""
