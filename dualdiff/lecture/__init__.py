"""The lecture desk: a derivative being made, a derivation checked, forward set beside reverse.

A room is entered when somebody asks for what is in it, so that importing dualdiff stays light.
"""
