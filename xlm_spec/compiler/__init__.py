"""From a spec to a package: load, validate, check, lower, render, write. Start in build.py."""
