"""The tests of ilm_levels: torch and pytest are all that they need."""
