"""The tests of mdlm_dit: torch and pytest are all that they need."""
