"""The tests of sedd_uniform; they require only torch and pytest."""
