"""cues: what can be heard of mode, register, tempo, loudness and the rest, read as valence and arousal."""
