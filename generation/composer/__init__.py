"""The rule-based engine: music under exact valence-arousal control, on a CPU."""
