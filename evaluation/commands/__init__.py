"""The commands: one public module each, discovered by folder.

    add_arguments(parser)   adds the command's own flags, and no others
    run(options) -> int     runs the command and returns its exit status

The first line of a module's docstring is shown in `fixfirst --help`. Heavy packages are imported inside `run`, so that
help appears without delay.
"""
