"""Flags that make a command quick enough for a test."""

PHOTOS = ["--content", "photos"]
QUICK = ["--steps", "2", "--size-px", "128", "--crop-px", "64", "--batch", "1"]
