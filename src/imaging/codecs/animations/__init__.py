"""Write the animations that libvips does not write: AVIF sequences with Pillow, and APNG from libvips' own PNGs."""
