"""Image decoding, resizing, thumbnails and annotation. Needs only numpy and Pillow."""
