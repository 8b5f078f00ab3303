"""The reference engines: transformers' own loop and a lab's audiocraft."""
