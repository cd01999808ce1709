"""Tasks whose right answer is known beforehand, drawn by NumPy alone: what a study can be held against."""
