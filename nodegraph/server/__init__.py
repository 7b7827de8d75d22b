"""The server: the jobs of the table over HTTP and WebSocket, on this machine."""
