"""The tables: what every NumPy function does to a tangent."""
