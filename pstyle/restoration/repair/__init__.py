"""The restorer: its network, its training, and the call that repairs."""
