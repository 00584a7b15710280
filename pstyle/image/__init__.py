"""Pictures as tensors: in and out of files, sizes, colors, filters, crops."""
