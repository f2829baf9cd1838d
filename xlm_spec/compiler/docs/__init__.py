"""Documentation derived from components: cards, reference pages, pages of diagnostics."""
