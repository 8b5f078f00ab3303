"""Every human surface. Only this package may import all the others."""
