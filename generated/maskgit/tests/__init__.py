"""The tests of maskgit; they require only torch and pytest."""
