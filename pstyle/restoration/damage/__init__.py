"""The style of damage: synthesized, estimated from scans, stored."""
