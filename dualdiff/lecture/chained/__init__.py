"""The Jacobian of a composition as a product of matrices."""
