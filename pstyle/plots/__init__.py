"""Charts, contact sheets and maps, drawn with Pillow as pictures (1, 3, H, W) float32 in [0, 1]."""
