"""A server that answers as the Hugging Face hub does, as far as huggingface_hub and we ask it, with a second one as its CDN."""

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_a_test"
STORED_ELSEWHERE = (".tar", ".npy", ".safetensors", ".parquet")  # what the hub sends a client on to its CDN for


class Hub:
    """Repositories by "datasets/ORG/NAME" or "models/ORG/NAME": commits, each a hash with the content of its files."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, dict[str, bytes]]] = {}
        self.private: set[str] = set()
        self.asked: list[tuple[str, str]] = []  # path and authorization of every request for a file
        self.cdn_asked: list[tuple[str, str]] = []
        self.url = self.cdn_url = ""

    def commit(self, repo: str, files: dict[str, bytes]) -> str:
        """Add a commit; returns its hash."""
        commits = self.repos.setdefault(repo, {})
        name = hashlib.sha1(repr((len(commits), sorted(files))).encode()).hexdigest()
        commits[name] = dict(files)
        return name

    def find(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]]:
        """A revision's commit and its files."""
        commits = self.repos[repo]
        name = list(commits)[-1] if revision == "main" else revision
        return name, commits[name]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    hub: ClassVar[Hub]

    def __init__(self, hub: Hub, *args: Any) -> None:
        self.store = hub
        super().__init__(*args)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send JSON, or bytes."""
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, code: str, status: int = 404) -> None:
        """An error as the hub tells it."""
        self.answer({"error": code}, status, {"X-Error-Code": code, "X-Error-Message": code})


class HubHandler(Handler):
    """The hub."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        api = parts[0] == "api"
        parts = parts[1:] if api else parts
        kind = parts.pop(0) if parts[0] in ("datasets", "models") else "models"
        repo, rest = "/".join([kind, *parts[:2]]), parts[2:]
        allowed = repo not in self.store.private or self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repo not in self.store.repos or not allowed:
            return self.refuse("RepoNotFound", 401)
        revision = rest[1] if len(rest) > 1 else "main"
        try:
            name, files = self.store.find(repo, revision)
        except (KeyError, IndexError):
            return self.refuse("RevisionNotFound")
        if not api:
            return self.give_file("/".join(rest[2:]), name, files)
        if rest[:1] == ["tree"]:
            entries = [{"type": "file", "path": p, "oid": "0" * 40, "size": len(c)} for p, c in files.items()]
            return self.answer(entries)
        siblings = [{"rfilename": path} for path in files]
        return self.answer({"id": "/".join(parts[:2]), "sha": name, "siblings": siblings, "private": False, "tags": []})

    def give_file(self, path: str, commit: str, files: dict[str, bytes]) -> None:
        self.store.asked.append((path, self.headers.get("Authorization", "")))
        if path not in files:
            return self.refuse("EntryNotFound")
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha1(files[path]).hexdigest()}"'}
        if path.endswith(STORED_ELSEWHERE):
            digest = hashlib.sha256(files[path]).hexdigest()
            return self.answer(b"", 302, {**headers, "Location": f"{self.store.cdn_url}/{digest}"})
        return self.answer(files[path], 200, headers)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or self.read_chunks()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.refuse("Unauthorized", 401)
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts[1] == "repos":
            told = json.loads(content)
            organization = told.get("organization") or told["name"].partition("/")[0]
            name = f"{organization}/{told['name'].rpartition('/')[2]}"
            self.store.repos.setdefault(f"{told.get('type') or 'model'}s/{name}", {}) or self.store.commit(
                f"{told.get('type') or 'model'}s/{name}", {}
            )
            return self.answer({"url": f"{self.store.url}/{name}", "id": name, "name": name})
        if parts[1] == "validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        repo = "/".join(parts[1:4])
        if parts[4] == "preupload":
            paths = [file["path"] for file in json.loads(content)["files"]]
            modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]
            return self.answer({"files": modes})
        name = self.store.commit(repo, self.apply(dict(self.store.find(repo, "main")[1]), content))
        return self.answer({"commitUrl": f"{self.store.url}/{repo}/commit/{name}", "commitOid": name, "success": True})

    def read_chunks(self) -> bytes:
        """A body without a length."""
        content = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        return content

    def apply(self, files: dict[str, bytes], content: bytes) -> dict[str, bytes]:
        """The files after a commit."""
        for line in map(json.loads, content.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        return files


class CdnHandler(Handler):
    """The CDN, which must not be given the hub's token."""

    def do_GET(self) -> None:
        self.store.cdn_asked.append((self.path, self.headers.get("Authorization", "")))
        contents = (c for commits in self.store.repos.values() for files in commits.values() for c in files.values())
        found = next((c for c in contents if hashlib.sha256(c).hexdigest() == self.path.strip("/")), None)
        return self.refuse("EntryNotFound") if found is None else self.answer(found)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub while it answers."""
    with ExitStack() as stack:
        urls = []
        for handler in (HubHandler, CdnHandler):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, hub))
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            urls.append(f"http://127.0.0.1:{server.server_port}")
        hub.url, hub.cdn_url = urls
        yield hub
