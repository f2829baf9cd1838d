"""The tests of ilm_levels; they require only torch and pytest."""
