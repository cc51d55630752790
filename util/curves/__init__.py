"""What the numbers of a run mean: its history in bounded memory, its health in words, its panels, and drawings."""
