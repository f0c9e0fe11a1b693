"""The command line, a room for each command; ``python -m dualdiff`` loads the one that is asked for."""
