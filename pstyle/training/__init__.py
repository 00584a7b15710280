"""The loops that learn a style, optimize a picture, and train the shipped weights."""
