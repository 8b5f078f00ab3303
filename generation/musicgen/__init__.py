"""MusicGen: a decoder of our own, its weights, its adapters, and the reference engines it is held against."""
