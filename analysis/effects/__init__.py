"""What listening changed: endpoints, models, contrasts, multiplicity."""
