"""musicnn: 50 tags from a published network, and a map from tags to valence and arousal."""
