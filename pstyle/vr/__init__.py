"""360 panoramas and stereo pairs."""
