"""One family of errors, so that the command line can tell a user's problem from a defect."""


class CatalystError(Exception):
    """A problem the user can act on: one sentence of what, where and what to do next."""
