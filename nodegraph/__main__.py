"""`python -m nodegraph`."""

from .cli import main

main()
