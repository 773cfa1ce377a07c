"""From the bytes of an image to the pixels that the network sees, and to hashes of them."""
