"""Where images lie, and the paths of very many."""
