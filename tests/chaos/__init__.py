"""Killing worker and server at chosen and at random moments, and proving that nothing is lost: `make chaos`."""
