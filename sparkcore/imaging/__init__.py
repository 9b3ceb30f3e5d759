"""Pixels: image files to RGB and back, resizing, thumbnails and captions. Needs numpy and Pillow only."""
