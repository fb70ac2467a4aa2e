"""The errors that the command line reports, and the exit status that each one has."""


class UserError(Exception):
    """Something that the caller can put right: a name, a file, a missing tool. Exit status 2."""

    exit_code = 2


class BoardError(Exception):
    """The program on the board ended with an exception, or the board with a fault. Exit status 1."""

    exit_code = 1
