"""The tests of mlm: torch and pytest are all that they need."""
