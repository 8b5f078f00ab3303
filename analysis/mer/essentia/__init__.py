"""essentia: the field's own heads, by its own library or by the same graphs without it (optional)."""
