"""Parts of pages: a package for each page, and modules that several share."""
