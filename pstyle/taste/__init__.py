"""Taste: a person's own style, learned from stars for their pictures and from choices among painted ones."""
