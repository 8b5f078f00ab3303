"""Music emotion recognition: one protocol, one file per predictor."""
