"""The language shown to people: cards, pages of diagnostics, the reference."""
