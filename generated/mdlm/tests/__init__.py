"""The tests of mdlm: torch and pytest are all that they need."""
