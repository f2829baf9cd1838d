"""Spec -> Method: composes the components and checks that they fit together (X2xx, X3xx)."""
