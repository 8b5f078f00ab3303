"""Where a window of music lies on the plane: tags, columns or a predictor."""
