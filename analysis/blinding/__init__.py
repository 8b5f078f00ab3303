"""Whether the blind held: what people guessed of their arm, and the indices made of it."""
