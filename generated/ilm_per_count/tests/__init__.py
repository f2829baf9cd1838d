"""The tests of ilm_per_count; they require only torch and pytest."""
