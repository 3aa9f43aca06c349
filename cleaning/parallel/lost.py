"""What can be lost on the way to a result: the cluster, its workers, the jobs they had in hand."""

from cleaning.errors import FixfirstError, InvalidInput


class NoCluster(InvalidInput):
    """No cluster answers at the address given."""


class WorkersLost(FixfirstError):
    """Workers died more often than retries allow."""


class JobsLost(Exception):
    """A worker died and jobs in hand died with it; what else was finished has been handed out."""
