"""Merges what a build generates with a user's edits of the package. Start in package.py."""
