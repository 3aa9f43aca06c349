"""Errors for a missing cluster, dead workers and the jobs that were lost with them."""

from cleaning.errors import FixfirstError, InvalidInput


class NoCluster(InvalidInput):
    """No cluster answers at the address given."""


class WorkersLost(FixfirstError):
    """Workers died more often than retries allow."""


class JobsLost(Exception):
    """A worker died and its unfinished jobs were lost. Results that were ready before have been returned."""
