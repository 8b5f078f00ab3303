"""Words for every point of the valence-arousal plane: tables as data, and how they are read."""
