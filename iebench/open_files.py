"""How many files a process may hold open: a dataset of thousands of shards needs one for each."""

import resource

from iebench.errors import IebenchError


def allow_more_open_files() -> None:
    """Raise this process's limit of open files to what the system allows it.

    Raises:
        IebenchError: it is there already.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= hard:
        raise IebenchError(f"More than {soft} files would be open at once: allow more, as with `ulimit -n {2 * soft}`.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
