"""What is known of the values on wires before there are any. Imports no torch."""
