"""Forward mode beside reverse mode: counted, timed, and where they cross."""
