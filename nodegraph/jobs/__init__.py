"""Durable jobs: the table that holds them, the workers that run them, and the supervisor between the two."""
