"""How many people a study needs: the protocol's own analysis, run on simulated studies."""
