"""Charts of the pages: each an SVG made here, with a title, a description and the table that it was drawn from."""
