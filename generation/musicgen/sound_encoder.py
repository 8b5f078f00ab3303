"""Sound as tokens: the codec of a MusicGen, the other way round."""
