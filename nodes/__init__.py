"""The node classes, in menu order, and the two mappings that ComfyUI reads off them."""

from __future__ import annotations

NODE_CLASSES: list[type] = []

# A class's name is its id, for ever: workflow files hold it. Its TITLE is what the menu shows.
NODE_CLASS_MAPPINGS = {node.__name__: node for node in NODE_CLASSES}
NODE_DISPLAY_NAME_MAPPINGS = {node.__name__: node.TITLE for node in NODE_CLASSES}
