"""Components in files of the author's own: read, never imported, and looked through."""
