"""What runs inside a sandbox: nothing here imports the rest of the server."""
