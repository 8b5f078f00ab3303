"""Sessions made of short clips: what any engine that generates thirty seconds at a time needs."""
