"""One command a module: SUMMARY, EXAMPLE, `add_arguments(parser)` and `run(args)`."""
