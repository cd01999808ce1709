"""The parts of `benchmarks/attack.py`: one file for each kind of attack, and what they share."""
