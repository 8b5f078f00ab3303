"""How far two ratings of the same music say the same."""
