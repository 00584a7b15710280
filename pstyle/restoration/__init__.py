"""Restoration: the style of damage, learned and made again, and a network that repairs it."""
