"""Restoration: damage, learned and synthesized, and its repair."""
