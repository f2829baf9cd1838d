"""The tests of mdlm_exact: torch and pytest are all that they need."""
