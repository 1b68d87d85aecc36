"""Finding handlers: every module of this package that has a `HANDLER`, and those of further modules named."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

import genoferry.handlers
from genoferry.contracts.envelope import Request, explain
from genoferry.errors import InvalidBody, MessageTooLarge, SettingsError, UnknownName
from genoferry.handlers.protocol import Handler

Handlers = Mapping[str, Handler]


def load(further: Iterable[str] = ()) -> Handlers:
    """All handlers by message name. Raises `SettingsError` for a module that is missing or has none."""
    own = [f"{genoferry.handlers.__name__}.{found.name}" for found in pkgutil.iter_modules(genoferry.handlers.__path__)]
    found: dict[str, Handler] = {}
    for module in own:
        handler = getattr(importlib.import_module(module), "HANDLER", None)
        if handler is not None:
            found[handler.name] = handler
    found |= {handler.name: handler for handler in map(_further, further)}
    return MappingProxyType(found)


def _further(module: str) -> Handler:
    try:
        handler: Handler = importlib.import_module(module).HANDLER
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"GENOFERRY_HANDLER_MODULES: {module} can't be imported or has no HANDLER.") from error
    return handler


def find(handlers: Handlers, name: str) -> Handler:
    """Raises `UnknownName`."""
    try:
        return handlers[name]
    except KeyError:
        raise UnknownName(f"body.name names no handler; this worker knows {', '.join(sorted(handlers))}.") from None


def parse_body(handler: Handler, request: Request) -> BaseModel:
    """The request's body as its handler's model has it: strict JSON. Raises `InvalidBody`, or `MessageTooLarge` for a
    list of files that is too long."""
    try:
        return handler.body.model_validate_json(json.dumps(request.body), strict=True)
    except ValidationError as error:
        if any(e["type"] == "too_long" and e["loc"][-1] == "files" for e in error.errors(include_input=False)):
            raise MessageTooLarge from None
        raise explain(error, InvalidBody) from None


def schema(handlers: Handlers, name: str) -> dict[str, Any]:
    """JSON Schema of a whole request of that name: the envelope with the handler's body in it."""
    envelope = Request.model_json_schema(by_alias=True)
    body = find(handlers, name).body.model_json_schema(by_alias=True)
    definitions = envelope.pop("$defs", {}) | body.pop("$defs", {})
    envelope["properties"]["body"] = body
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **envelope,
        "title": name,
        **({"$defs": definitions} if definitions else {}),
    }
