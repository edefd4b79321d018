"""Repositories of the Hugging Face hub: their addresses, the commit behind a revision, and the URLs of their files.

    hf://datasets/ORG/NAME[@REVISION]    hf://ORG/NAME[@REVISION]

as huggingface_hub writes them: a revision is a branch, a tag or a commit, and "main" where there is none.
"""

import os
import re
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote

from iebench.errors import IebenchError, UsageError
from iebench.untrusted import tell

SCHEME = "hf://"
Kind = Literal["dataset", "model"]
_FORM = re.compile(
    r"hf://(?P<datasets>datasets/)?(?P<name>[\w.-]+/[\w.-]+)"
    r"(?:@(?P<revision>refs/(?:pr|convert)/[^/@]+|[^/@]+))?(?P<path>/.*)?"
)
_NO_OWNERS = ("datasets", "spaces", "models", "kernels", "buckets")
_COMMIT = re.compile(r"[0-9a-f]{40}")
FORMS = "write hf://datasets/ORG/NAME for a dataset and hf://ORG/NAME for a run, with @REVISION to pin it"


@dataclass(frozen=True)
class HubAddress:
    """Where something lies on the hub.

    Attributes:
        kind: of the repository.
        name: ORG/NAME.
        revision: branch, tag or commit; empty for "main".
        path: of a file or folder in the repository.
    """

    kind: Kind
    name: str
    revision: str = ""
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> "HubAddress":
        """The address of a `hf://` URL.

        Raises:
            UsageError: it has another form.
        """
        found = _FORM.fullmatch(url.rstrip("/"))
        if found is None or found["name"].partition("/")[0] in _NO_OWNERS:
            raise UsageError(f"{url} is no address of the hub: {FORMS}.")
        kind: Kind = "dataset" if found["datasets"] else "model"
        return cls(kind, found["name"], unquote(found["revision"] or ""), (found["path"] or "").strip("/"))

    def __str__(self) -> str:
        prefix, revision = "datasets/" if self.kind == "dataset" else "", self.revision.replace("/", "%2F")
        return f"{SCHEME}{prefix}{self.name}" + (f"@{revision}" if revision else "") + (self.path and f"/{self.path}")

    @property
    def is_pinned(self) -> bool:
        """Whether it names a commit, whose files never change."""
        return _COMMIT.fullmatch(self.revision) is not None

    def pinned(self) -> "HubAddress":
        """The commit that the revision stands for now.

        Raises:
            IebenchError: there is no such repository or revision, or the hub cannot be reached.
        """
        if self.is_pinned:
            return self
        from huggingface_hub import HfApi

        try:
            found = HfApi(library_name="iebench").repo_info(
                self.name, repo_type=self.kind, revision=self.revision or None
            )
        except Exception as error:  # the hub's, the connection's
            raise hub_error(str(self), error) from None
        if _COMMIT.fullmatch(str(found.sha)) is None:
            raise IebenchError(f"{self} cannot be pinned: the hub names no commit of it; look at HF_ENDPOINT.")
        return replace(self, revision=str(found.sha))


def is_hub(location: str | os.PathLike[str]) -> bool:
    """Whether a location is a repository of the hub."""
    return str(location).startswith(SCHEME)


def pin(url: str) -> str:
    """A URL whose content stays: that of the commit where it is the hub's, without a slash at its end."""
    return str(HubAddress.parse(url).pinned()) if is_hub(url) else url.rstrip("/")


def unpinned(url: str) -> str:
    """A URL without its revision: another revision's files may be the same."""
    return str(replace(HubAddress.parse(url), revision="")) if is_hub(url) else url


def file_request(url: str) -> tuple[str, dict[str, str]]:
    """What to ask for a file by its `hf://` URL: its https URL, and headers with the user's token where there is one.

    The token goes to the hub (HF_ENDPOINT) alone: an HTTP client leaves it out where it is sent on to another server.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # public, by its docs

    address = HubAddress.parse(url)
    plain = hf_hub_url(address.name, address.path, repo_type=address.kind, revision=address.revision or None)
    return plain, build_hf_headers(library_name="iebench")


def hub_error(what: str, error: BaseException) -> IebenchError:
    """The sentence for what huggingface_hub raises."""
    mend = "look at its name and revision, log in with `hf auth login` where it is private, and look at the network"
    return IebenchError(f"{what} cannot be reached on the hub ({tell(error)}): {mend}.")
