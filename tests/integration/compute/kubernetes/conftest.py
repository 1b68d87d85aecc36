"""An API server on loopback, as much of it as the runner uses: objects with versions, LIST, WATCH, 409 and 410."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from genoferry.compute.kubernetes.runner import KubernetesRunner
from genoferry.settings import ComputeSettings, KubernetesSettings, NextflowSettings, Settings

Object = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"


class Cluster:
    """`refuse` answers a verb on a kind otherwise; `lose` acts and then says nothing; `sticky` outlive their deletion;
    `calls` counts, `asked` keeps what was asked of watches; `forbidden` is what access reviews say no to."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version, self.forgotten, self.epoch = 100, 0, 0
        self.objects: dict[tuple[str, str], Object] = {}
        self.events: list[tuple[int, str, str, Object]] = []
        self.refuse: dict[tuple[str, str], tuple[int, str, str]] = {}
        self.lose: set[tuple[str, str]] = set()
        self.sticky: set[str] = set()
        self.forbidden: set[tuple[str, str, str]] = set()
        self.calls: Counter[tuple[str, str]] = Counter()
        self.asked: list[dict[str, str]] = []
        self.deletions: list[Object] = []
        self.open_watches = 0
        self.listing = threading.Event()
        self.listing.set()

    def put(self, kind: str, body: Object, event: str | None = None) -> Object:
        with self.changed:
            name = body["metadata"]["name"]
            known = self.objects.get((kind, name))
            self.version += 1
            body = json.loads(json.dumps(body))
            meta = body["metadata"]
            meta["resourceVersion"] = str(self.version)
            meta.setdefault("uid", known["metadata"]["uid"] if known else str(uuid.uuid4()))
            meta.setdefault("creationTimestamp", NOW)
            self.objects[kind, name] = body
            self._happened(kind, event or ("MODIFIED" if known else "ADDED"), body)
            return body

    def drop(self, kind: str, name: str) -> None:
        with self.changed:
            body = self.objects.pop((kind, name), None)
            if body is not None:
                self.version += 1
                body["metadata"]["resourceVersion"] = str(self.version)
                self._happened(kind, "DELETED", body)

    def bookmark(self) -> None:
        with self.changed:
            self.version += 1
            told = {"metadata": {"resourceVersion": str(self.version)}}
            for kind in ("jobs", "pods"):
                self._happened(kind, "BOOKMARK", told)

    def break_watches(self) -> None:
        with self.changed:
            self.epoch += 1
            self.changed.notify_all()

    def forget(self) -> None:
        """What an etcd compaction does."""
        with self.changed:
            self.version += 1
            self.forgotten = self.version

    def _happened(self, kind: str, event: str, body: Object) -> None:
        self.events.append((self.version, kind, event, json.loads(json.dumps(body))))
        self.changed.notify_all()

    def job(self, name: str) -> Object:
        return self.objects["jobs", name]

    def set_job(self, name: str, **changes: Any) -> Object:
        body = json.loads(json.dumps(self.job(name)))
        return self.put("jobs", {**body, **changes})

    def condition(self, name: str, kind: str, reason: str = "", message: str = "") -> None:
        told = {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": NOW}
        self.set_job(name, status={"conditions": [told]})

    def pod(self, name: str, **status: Any) -> Object:
        """The pod of a Job, in that status."""
        job = self.job(name)["metadata"]
        owner = {"kind": "Job", "name": name, "uid": job["uid"], "apiVersion": "batch/v1"}
        labels = job["labels"] | {"batch.kubernetes.io/job-name": name}
        meta = {"name": f"{name}-x", "labels": labels, "ownerReferences": [owner]}
        return self.put("pods", {"metadata": meta, "status": status})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    cluster: ClassVar[Cluster]

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.act("read")

    def do_POST(self) -> None:
        self.act("create")

    def do_PATCH(self) -> None:
        self.act("patch")

    def do_DELETE(self) -> None:
        self.act("delete")

    def act(self, verb: str) -> None:
        at = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(at.query).items()}
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        _, _, rest = at.path.partition("/namespaces/scores/")
        kind, _, name = rest.partition("/") if rest else (at.path.rpartition("/")[2], "", "")
        if verb == "read" and not name:
            verb = "watch" if query.get("watch") else "list"
        if name.endswith("/log"):
            verb, name = "log", name.removesuffix("/log")
        self.cluster.calls[verb, kind] += 1
        if (verb, kind) in self.cluster.refuse:
            self.status(*self.cluster.refuse[verb, kind])
            return
        try:
            getattr(self, f"on_{verb}")(kind, name, query, body)
        except ConnectionError:
            self.close_connection = True

    def reply(self, status: int, body: Object | str) -> None:
        data = (body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def status(self, code: int, reason: str, message: str = "") -> None:
        self.reply(code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message})

    def done(self, verb: str, kind: str, status: int, body: Object) -> None:
        if (verb, kind) in self.cluster.lose:
            self.cluster.lose.discard((verb, kind))
            self.close_connection = True
        else:
            self.reply(status, body)

    def on_create(self, kind: str, name: str, query: Object, body: Object) -> None:
        if kind == "selfsubjectaccessreviews":
            self.reply(201, {**body, "status": {"allowed": self.allowed(**body["spec"]["resourceAttributes"])}})
            return
        name = body["metadata"]["name"]
        if (kind, name) in self.cluster.objects:
            self.status(409, "AlreadyExists", f'{kind} "{name}" already exists')
        else:
            self.done("create", kind, 201, self.cluster.put(kind, body))

    def allowed(self, namespace: str, group: str, resource: str, subresource: str, verb: str) -> bool:
        resource = "/".join(filter(None, (resource, subresource)))
        return namespace == "scores" and (group, resource, verb) not in self.cluster.forbidden

    def on_read(self, kind: str, name: str, query: Object, body: Object) -> None:
        found = self.cluster.objects.get((kind, name))
        self.reply(200, found) if found else self.status(404, "NotFound", f'{kind} "{name}" not found')

    def on_patch(self, kind: str, name: str, query: Object, body: Object) -> None:
        found = self.cluster.objects[kind, name]
        if body["metadata"]["uid"] != found["metadata"]["uid"]:
            self.status(409, "Conflict")
        else:
            self.done("patch", kind, 200, self.cluster.put(kind, merged(found, body)))

    def on_delete(self, kind: str, name: str, query: Object, body: Object) -> None:
        found = self.cluster.objects.get((kind, name))
        self.cluster.deletions.append({"kind": kind, "name": name, **body, **query})
        if found is None:
            self.status(404, "NotFound")
        elif body["preconditions"]["uid"] != found["metadata"]["uid"]:
            self.status(409, "Conflict")
        else:
            if name not in self.cluster.sticky:
                self.cluster.drop(kind, name)
            self.reply(200, found)

    def on_log(self, kind: str, name: str, query: Object, body: Object) -> None:
        self.reply(200, "\n".join(f"line {n}" for n in range(100 - int(query["tailLines"]), 100)) + "\n")

    def on_list(self, kind: str, name: str, query: Object, body: Object) -> None:
        self.cluster.listing.wait(30)
        with self.cluster.changed:
            found = [one for (of, _), one in self.cluster.objects.items() if of == kind and selected(one, query)]
            meta = {"resourceVersion": str(self.cluster.version)}
        self.reply(200, {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": found})

    def on_watch(self, kind: str, name: str, query: Object, body: Object) -> None:
        cluster = self.cluster
        cluster.asked.append({"kind": kind, **query})
        at, ends = int(query["resourceVersion"]), time.monotonic() + int(query["timeoutSeconds"])
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        epoch = cluster.epoch
        cluster.open_watches += 1
        try:
            if at < cluster.forgotten:
                told = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
                self.chunk({"type": "ERROR", "object": told})
                self.chunk(None)
                return
            while time.monotonic() < ends:
                with cluster.changed:
                    news = [one for one in cluster.events if one[0] > at and one[1] == kind]
                    if not news and cluster.epoch == epoch:
                        cluster.changed.wait(0.05)
                        self.chunk_alive()
                if cluster.epoch != epoch:
                    self.close_connection = True  # cut in the middle
                    return
                for version, _, event, told in news:
                    at = version
                    if event == "BOOKMARK" or selected(told, query):
                        self.chunk({"type": event, "object": told})
            self.chunk(None)
        finally:
            cluster.open_watches -= 1

    def chunk(self, event: Object | None) -> None:
        data = json.dumps(event).encode() + b"\n" if event else b""
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def chunk_alive(self) -> None:
        """An empty line, which a watch may hold: it shows whether the client is still there."""
        self.wfile.write(b"1\r\n\n\r\n")
        self.wfile.flush()


def selected(one: Object, query: Object) -> bool:
    wanted = [term.split("=") for term in query.get("labelSelector", "").split(",") if term]
    return all(one["metadata"].get("labels", {}).get(name) == value for name, value in wanted)


def merged(old: Any, new: Any) -> Any:
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    found = {**old, **{name: merged(old.get(name), value) for name, value in new.items()}}
    return {name: value for name, value in found.items() if value is not None}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    double = Cluster()
    handler = type("Bound", (Handler,), {"cluster": double})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    double.server = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield double
    double.break_watches()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def kubeconfig(cluster: Any, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    host, port = cluster.server.server_address
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": f"http://{host}:{port}"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    return path


@pytest.fixture
def make(kubeconfig: Path) -> Iterator[Callable[..., KubernetesRunner]]:
    made: list[KubernetesRunner] = []

    def runner(
        compute: Object | None = None, nextflow: Object | None = None, deployment: str = "prod", **own: Any
    ) -> KubernetesRunner:
        settings = Settings(
            genoferry_deployment=deployment,
            compute=ComputeSettings(workspaces=Path("/workspaces"), **(compute or {})),
            kubernetes=KubernetesSettings(**{"kubeconfig": kubeconfig, "namespace": "scores", **own}),
            nextflow=NextflowSettings(**(nextflow or {})),
        )
        made.append(KubernetesRunner(settings))
        return made[-1]

    yield runner
    for one in made:
        one.close()
