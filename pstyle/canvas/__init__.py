"""Pictures of any size and shape: what is painted piece by piece, as if it were painted whole."""
