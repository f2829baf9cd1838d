"""The tests of did; they require only torch and pytest."""
