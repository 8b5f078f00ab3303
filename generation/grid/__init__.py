"""Making a grid of clips: systems × targets × seeds, by the engines that are installed."""
