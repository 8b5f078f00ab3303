"""The command line: `isopath`."""
