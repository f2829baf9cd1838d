"""Sphinx settings of the documentation: Markdown, one theme, no files from the network."""

from xlm_spec import __version__

project = "xlm-spec"
author = "the xlm-spec authors"
copyright = author
release = version = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "_results"]
myst_heading_anchors = 3
highlight_language = "text"
smartquotes = False  # flags keep their two dashes

html_theme = "furo"
html_title = "xlm-spec"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
