"""One file a story; see ``demo/stage.py`` for what a story is."""
