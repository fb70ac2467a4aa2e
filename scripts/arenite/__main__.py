"""`python -m arenite`: the command line."""

from arenite.cli import main

main()
