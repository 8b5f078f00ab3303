"""How near generated clips are to their targets, by every predictor at hand."""
