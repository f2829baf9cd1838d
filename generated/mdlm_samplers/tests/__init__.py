"""The tests of mdlm_samplers: torch and pytest are all that they need."""
