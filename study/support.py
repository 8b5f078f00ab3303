"""The support page: offered at a stop, at distress, or when somebody calls; and its answer."""
