"""The tests of arlm: torch and pytest are all that they need."""
