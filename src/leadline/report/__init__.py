"""From a verdict to a page or to text in a terminal: facts, then template. Nothing here imports torch."""
