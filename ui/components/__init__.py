"""Parts that pages are made of: a room for each page, and here what several share."""
