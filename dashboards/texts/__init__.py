"""The app's own words, one JSON catalogue a language."""
