"""Bytes at a URI: a local folder or an object store; files that are whole or absent; locks between processes."""
