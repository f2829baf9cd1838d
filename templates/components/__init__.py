"""The components: one axis value a file, real modules that a generated package receives verbatim."""
