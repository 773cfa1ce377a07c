"""From the bytes of a photograph to the pixels that the network sees, and to hashes of them."""
