"""What can be asked of the server, one file per resource: a function each, and the table of its routes."""
