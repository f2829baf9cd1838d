"""The components: one axis value a file, real modules that packages receive verbatim."""
