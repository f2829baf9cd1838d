"""The tests of sedd_absorb; they require only torch and pytest."""
