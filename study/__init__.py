"""The study's domain and its record: no audio, no statistics, no pages."""
