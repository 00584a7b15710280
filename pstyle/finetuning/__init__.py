"""Adversarial fine-tuning: the loop, its validation, and when to stop."""
