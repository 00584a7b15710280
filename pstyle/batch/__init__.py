"""Folders of pictures, painted by one process or by many machines."""
