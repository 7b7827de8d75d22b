"""Built-in nodes that decide, choose and count. They come through the same door as any pack."""
