"""The forms in which people have labelled data, one per module; each reads a path and options into `Found`."""
