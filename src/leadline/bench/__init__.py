"""Leadline's compiled code against torch on this machine: `leadline bench`, and the scripts in benchmarks/."""
