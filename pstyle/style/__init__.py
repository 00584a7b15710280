"""The style file, and the settings that a picture is painted with."""
