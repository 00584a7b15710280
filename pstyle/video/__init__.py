"""Video: reading and writing files, painting frames without flicker."""
