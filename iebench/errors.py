"""Errors that a user can mend."""


class IebenchError(Exception):
    """One sentence that names the file or option at fault and the mend; exit code 1."""

    exit_code = 1


class UsageError(IebenchError):
    """A command or function was asked for something that cannot be; exit code 2."""

    exit_code = 2
