"""A pack of small nodes for the engine's tests; it uses no torch."""
