"""Packages that live: what a build makes, merged with what a person wrote. Start in package.py."""
