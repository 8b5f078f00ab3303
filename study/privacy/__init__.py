"""Who people are, how they go, and until when their data may be kept."""
