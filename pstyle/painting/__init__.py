"""Painting pictures of any size: the one call, tiles, streaming."""
