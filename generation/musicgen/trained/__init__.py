"""What a lab trains on top of a model: LoRA adapters, affect tokens, steering vectors."""
