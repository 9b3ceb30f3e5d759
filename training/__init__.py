"""The recipe of the built-in model."""

import os

# TensorFlow reads it once, when it is imported; without it, it runs slower kernels on processors that lack AVX-512.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
