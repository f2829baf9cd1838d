"""The tests of ilm: torch and pytest are all that they need."""
