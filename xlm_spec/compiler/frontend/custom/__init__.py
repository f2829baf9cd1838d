"""Custom components: read from files beside the spec and checked, never imported."""
