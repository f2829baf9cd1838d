"""A stand-in for the Hugging Face hub on loopback: the routes that its client calls, with LFS."""

import base64
import contextlib
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

USERS = {"writes": True, "reads": False}  # token -> may it write?


@dataclass
class Repository:
    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)  # revision -> files

    def __post_init__(self):
        self.commit({".gitattributes": b"*.safetensors filter=lfs\n"})

    def commit(self, files: dict[str, bytes]) -> str:
        sha = hashlib.sha1(f"{len(self.commits)}".encode()).hexdigest()
        self.commits[sha] = files
        return sha

    def sha(self, revision: str) -> str | None:
        newest = [*self.commits][-1]
        return newest if revision == "main" else revision if revision in self.commits else None


class Hub(ThreadingHTTPServer):
    """Repositories, stored LFS objects, and the requests that were made."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.ranges: list[str] = []  # the Range headers
        self.cut_once: set[str] = set()  # files whose next download ends half-way
        self.fail_once: set[str] = set()  # routes whose next request fails with 500

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_):
        """Nothing on stderr."""

    def answer(self, content=None, status=200, body=None, **headers):
        body = json.dumps(content).encode() if body is None else body
        self.send_response(status)
        for name, value in {"content-length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def denied(self, status, message, code=""):
        self.answer({"error": message}, status, X_Error_Code=code, X_Error_Message=message)

    def do_GET(self):
        path = urlsplit(self.path).path
        self.server.requests.append(f"{self.command} {path}")
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        if path in self.server.fail_once:
            self.server.fail_once.remove(path)
            return self.denied(500, "Internal Error")
        if self.token and self.token not in USERS:
            return self.denied(401, "Invalid credentials in Authorization header")
        for route, handler in ROUTES.items():
            if m := re.fullmatch(route, path):
                return handler(self, **m.groupdict())
        return self.denied(404, f"no route {path}")

    do_HEAD = do_POST = do_PUT = do_GET

    def repository(self, name) -> Repository | None:
        """A repository that the user may see, else an answer."""
        found = self.server.repositories.get(name)
        if found is None or (found.private and not self.token):
            self.denied(404 if self.token else 401, "Repository not found", "RepoNotFound")
            return None
        return found

    def url(self, name) -> str:
        return f"{self.server.address}/{name}"

    def may_write(self) -> bool:
        if not USERS.get(self.token):
            self.denied(403, "You don't have the rights to write to this namespace")
        return USERS.get(self.token, False)

    def create(self):
        asked = json.loads(self.body)
        name = f"{asked['organization']}/{asked['name']}"
        if not self.may_write():
            return
        if name in self.server.repositories:
            return self.answer({"error": "You already created it", "url": self.url(name)}, 409)
        self.server.repositories[name] = Repository(asked.get("visibility") == "private")
        self.answer({"url": self.url(name), "name": name})

    def validate(self):
        self.answer({"errors": [], "warnings": []})

    def info(self, name, revision="main"):
        if found := self.repository(name):
            sha = found.sha(revision)
            if sha is None:
                return self.denied(404, "Invalid rev id", "RevisionNotFound")
            self.answer({"id": name, "sha": sha, "private": found.private, "siblings": []})

    def tree(self, name, revision):
        if found := self.repository(name):
            files = found.commits[found.sha(revision)]
            self.answer([self.described(p, content) for p, content in files.items()])

    def described(self, path, content):
        out = {"type": "file", "path": path, "size": len(content), "oid": git_oid(content)}
        if path.endswith(".safetensors"):
            oid = hashlib.sha256(content).hexdigest()
            out["lfs"] = {"oid": oid, "size": len(content), "pointerSize": 134}
        return out

    def preupload(self, name):
        modes = [
            {
                "path": f["path"],
                "uploadMode": "lfs" if f["path"].endswith(".safetensors") else "regular",
                "shouldIgnore": False,
            }
            for f in json.loads(self.body)["files"]
        ]
        self.answer({"files": modes})

    def batch(self, name):
        objects = json.loads(self.body)["objects"]
        for o in objects:
            if o["oid"] not in self.server.objects:
                o["actions"] = {"upload": {"href": f"{self.server.address}/lfs/{o['oid']}"}}
        self.answer({"transfer": "basic", "objects": objects})

    def store(self, oid):
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.server.objects[oid] = self.body
        self.answer({})

    def commit(self, name):
        found = self.repository(name)
        if not found or not self.may_write():
            return
        files = dict(found.commits[found.sha("main")])
        for line in self.body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.server.objects[value["oid"]]
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        sha = found.commit(files)
        url = f"{self.url(name)}/commit/{sha}"
        self.answer({"success": True, "commitOid": sha, "commitUrl": url})

    def resolve(self, name, revision, path):
        found = self.repository(name)
        if not found:
            return
        sha = found.sha(revision)
        content = found.commits[sha].get(path) if sha else None
        if content is None:
            return self.denied(404, "Entry not found", "EntryNotFound")
        headers = {"X_Repo_Commit": sha, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        asked = re.match(r"bytes=(\d+)-", self.headers.get("range", ""))
        if asked and self.command == "GET":
            first = int(asked[1])
            self.server.ranges.append(f"{path} {first}")
            span = f"bytes {first}-{len(content) - 1}/{len(content)}"
            return self.answer(None, 206, content[first:], Content_Range=span, **headers)
        if path in self.server.cut_once and self.command == "GET":
            self.server.cut_once.remove(path)
            self.send_response(200)
            for key, value in {"content-length": len(content), **headers}.items():
                self.send_header(key.replace("_", "-"), str(value))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self.answer(None, 200, content, **headers)


ROUTES = {
    "/api/repos/create": Handler.create,
    "/api/validate-yaml": Handler.validate,
    r"/api/models/(?P<name>[^/]+/[^/]+)": Handler.info,
    r"/api/models/(?P<name>[^/]+/[^/]+)/revision/(?P<revision>[^/]+)": Handler.info,
    r"/api/models/(?P<name>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)": Handler.tree,
    r"/api/models/(?P<name>[^/]+/[^/]+)/preupload/main": Handler.preupload,
    r"/api/models/(?P<name>[^/]+/[^/]+)/commit/main": Handler.commit,
    r"/(?P<name>[^/]+/[^/]+).git/info/lfs/objects/batch": Handler.batch,
    r"/lfs/(?P<oid>[0-9a-f]+)": Handler.store,
    r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)": Handler.resolve,
}


def git_oid(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@contextlib.contextmanager
def hub():
    """A running server."""
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
