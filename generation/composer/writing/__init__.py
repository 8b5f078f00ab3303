"""What is written: form, harmony, melody, texture, in beats."""
