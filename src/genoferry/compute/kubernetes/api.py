"""The cluster's API as plain JSON: the one place that knows the vendor's client. Blocking.

Objects stay the dictionaries that came, since a model of each of thousands of pods costs more than the rest of the
worker. The client's own retries are off: who calls knows better what may be done twice.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

from genoferry.compute.kubernetes.errors import Gone, Refused, translated
from genoferry.compute.kubernetes.json_stream import items, lines

Object = dict[str, Any]
Kind = Literal["jobs", "pods", "secrets", "serviceaccounts", "persistentvolumeclaims"]
NAMES: dict[Kind, tuple[str, str]] = {
    "jobs": ("BatchV1Api", "job"),
    "pods": ("CoreV1Api", "pod"),
    "secrets": ("CoreV1Api", "secret"),
    "serviceaccounts": ("CoreV1Api", "service_account"),
    "persistentvolumeclaims": ("CoreV1Api", "persistent_volume_claim"),
}
"""The vendor's class and the name in its methods."""
CALL_SECONDS = (5.0, 60.0)
TAIL_BYTES = 64 * 1024
"""Of a log, at most."""
QUIET_SECONDS = 90.0
"""After which a silent watch is taken for dead: the server sends a bookmark about every minute (Kubernetes API
concepts, watch bookmarks)."""


class Api:
    """Of one namespace. Raises `Refused`."""

    def __init__(self, client: Any, namespace: str) -> None:
        from kubernetes import client as vendor

        self._client, self.namespace = client, namespace
        names = ("BatchV1Api", "CoreV1Api", "AuthorizationV1Api")
        self._apis = {name: getattr(vendor, name)(client) for name in names}

    @property
    def server(self) -> str:
        """The URL."""
        return str(self._client.configuration.host)

    def create(self, kind: Kind, body: Object) -> Object:
        return self._json("create", kind, self.namespace, body)

    def read(self, kind: Kind, name: str) -> Object | None:
        """None where there is no such object."""
        try:
            return self._json("read", kind, name, self.namespace)
        except Refused as error:
            if error.status == 404 and error.reason == "NotFound":
                return None
            raise

    def patch(self, kind: Kind, name: str, body: Object) -> Object:
        return self._json("patch", kind, name, self.namespace, body)

    def delete(self, kind: Kind, name: str, uid: str) -> None:
        """That very object, and before it what it owns. One that isn't there any more is deleted."""
        body = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
        try:
            self._json("delete", kind, name, self.namespace, body=body)
        except Refused as error:
            if error.status not in (404, 409):  # 409: the name is another's by now (preconditions.uid)
                raise

    def log(self, pod: str, container: str, tail: int) -> str:
        with self._answer(
            "read",
            "pods",
            pod,
            self.namespace,
            sub="_log",
            container=container,
            tail_lines=tail,
            limit_bytes=TAIL_BYTES,
        ) as answer:
            return bytes(answer.data).decode(errors="replace")

    def list(self, kind: Kind, selector: str) -> Iterator[Object]:
        """Every object; the last thing that comes is `{"resourceVersion": …}`, from which a watch goes on."""
        with self._answer("list", kind, self.namespace, label_selector=selector) as answer:
            yield from items(answer.stream(1 << 16))

    def watch(self, kind: Kind, selector: str, version: str, seconds: int) -> Stream:
        """What happens after that version, for so long. Raises `Gone` where the server has forgotten it."""
        answer = self._open(
            "list",
            kind,
            self.namespace,
            label_selector=selector,
            resource_version=version,
            timeout_seconds=seconds,
            allow_watch_bookmarks=True,
            watch=True,
            _request_timeout=(CALL_SECONDS[0], QUIET_SECONDS),
        )
        return Stream(answer, kind)

    def may(self, group: str, resource: str, verb: str) -> bool:
        """Whether the server would let us, in our namespace."""
        kind, _, sub = resource.partition("/")
        asked = {"namespace": self.namespace, "group": group, "resource": kind, "subresource": sub, "verb": verb}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        review = self._apis["AuthorizationV1Api"].create_self_subject_access_review
        with translated("create", "selfsubjectaccessreviews"):
            answer = review(body, _preload_content=False, _request_timeout=CALL_SECONDS)
            return bool(json.loads(answer.data)["status"]["allowed"])

    def close(self) -> None:
        """Let go of the connections."""
        self._client.rest_client.pool_manager.clear()

    def _json(self, verb: str, kind: Kind, *args: Any, **options: Any) -> Object:
        with self._answer(verb, kind, *args, **options) as answer, translated(verb, kind):
            found: Object = json.loads(answer.data)
            return found

    @contextmanager
    def _answer(self, verb: str, kind: Kind, *args: Any, **options: Any) -> Iterator[Any]:
        answer = self._open(verb, kind, *args, **options)
        try:
            with translated(verb, kind):
                yield answer
        finally:
            answer.close()

    def _open(self, verb: str, kind: Kind, *args: Any, sub: str = "", **options: Any) -> Any:
        group, name = NAMES[kind]
        method = getattr(self._apis[group], f"{verb}_namespaced_{name}{sub}")
        told = "watch" if options.get("watch") else verb
        with translated(told, f"{kind}{sub.replace('_', '/')}"):
            return method(*args, _preload_content=False, **{"_request_timeout": CALL_SECONDS, **options})


class Stream:
    """The events of a watch."""

    def __init__(self, answer: Any, kind: Kind) -> None:
        self._answer, self._kind = answer, kind

    def __iter__(self) -> Iterator[Object]:
        with translated("watch", self._kind):
            for line in lines(self._answer.stream(None, decode_content=False)):
                event: Object = json.loads(line)
                if event["type"] == "ERROR":
                    raise Gone.of_event(self._kind, event["object"])
                yield event

    def end(self) -> None:
        """Let go of the connection, by the thread that reads."""
        self._answer.close()

    def interrupt(self) -> None:
        """From any thread. The socket is shut, not closed: who reads from it wakes."""
        with suppress(OSError, AttributeError):
            self._answer.connection.sock.shutdown(socket.SHUT_RDWR)
