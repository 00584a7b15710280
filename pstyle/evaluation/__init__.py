"""Scores, plots and reports. Nothing here is optimized."""
