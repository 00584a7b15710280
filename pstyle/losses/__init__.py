"""Losses: pure functions of pictures and features."""
