"""The commands: one public module each, found by folder.

    add_arguments(parser)   the command's own flags, and no others
    run(options) -> int     what it does, and its exit status

The first line of a module's docstring stands in `fixfirst --help`. Heavy packages are imported inside `run`, so that
help comes at once.
"""
