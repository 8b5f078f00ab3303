"""Linear mixed models by restricted maximum likelihood."""
