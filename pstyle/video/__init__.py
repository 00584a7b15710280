"""Video: files in and out, frames painted without flicker."""
