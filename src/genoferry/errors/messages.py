"""Messages that never become a job."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError


class BadMessage(GenoferryError):
    """The message can't be acted on."""

    code = "bad-message"


class NotJson(BadMessage):
    """The message body is not JSON in UTF-8. Send one JSON object."""

    code = "not-json"


class NotAnObject(BadMessage):
    """The message body is JSON but not an object. Send one JSON object."""

    code = "not-an-object"


class MessageTooLarge(BadMessage):
    """The message is over 128 KiB or names more than 500 files. Split the request."""

    code = "message-too-large"


class InvalidEnvelope(BadMessage):
    """The envelope is not valid. It takes uuid, experimentId, timeout and body; see the schema of `request`."""

    code = "invalid-envelope"


class UnknownName(BadMessage):
    """`body.name` names no handler of this worker. See `genoferry schema --list` for the names it knows."""

    code = "unknown-name"


class InvalidBody(BadMessage):
    """The body does not fit its schema. See `genoferry schema NAME`."""

    code = "invalid-body"


class NotOffered(BadMessage):
    """The request asks for what this deployment doesn't offer. Ask its operator."""

    code = "not-offered"


class SourceNotAllowed(BadMessage):
    """The request names a source, key or scorefile that this deployment's allow-lists don't hold.
    Ask the operator to allow it, or use one that is allowed."""

    code = "source-not-allowed"


class Conflict(BadMessage):
    """A request with this uuid and another content exists already. Send the new request under a new uuid."""

    code = "conflict"


class UnknownTarget(BadMessage):
    """The request to cancel names a job of another experiment."""

    code = "unknown-target"


class TooManyReceives(BadMessage):
    """The message was received many times and could not be accepted. Look at the dead-letter queue for its cause,
    mend that and send it again."""

    code = "too-many-receives"


class NewerSchema(GenoferryError):
    """This was written by a newer genoferry. Upgrade this worker; it leaves the job alone."""

    code = "newer-schema"
