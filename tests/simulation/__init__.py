"""Whether the analysis is right: type-I error, power and coverage where the truth is known."""
