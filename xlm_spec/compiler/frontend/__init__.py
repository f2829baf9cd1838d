"""YAML -> Spec: reads a spec, and checks its keys, types and ranges (X1xx)."""
