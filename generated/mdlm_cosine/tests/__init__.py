"""The tests of mdlm_cosine: torch and pytest are all that they need."""
