"""The tests of levenshtein; they require only torch and pytest."""
