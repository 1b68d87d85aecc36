"""Objects out of an answer as it comes, one at a time: a list of thousands is never in memory whole."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

Object = dict[str, Any]
START = '"items":['


def items(chunks: Iterable[bytes]) -> Iterator[Object]:
    """The objects of a list, then its metadata. The API server writes the metadata first (meta/v1 ListMeta, in the
    order of its Go structure). Raises `json.JSONDecodeError` for what is no list, or is cut short."""
    texts = decoded(chunks)
    text = ""
    for more in texts:
        text += more
        if START in text:
            break
    head, found, text = text.partition(START)
    if not found:  # an empty list may say null
        whole = json.loads(head)
        yield from whole["items"] or ()
        yield whole["metadata"]
        return
    yield from _elements(text, texts)
    yield json.loads(head + '"items":[]}')["metadata"]


def _elements(text: str, texts: Iterator[str]) -> Iterator[Object]:
    """What stands between the bracket that was just read and its closing one."""
    decoder = json.JSONDecoder()
    while not (text := text.lstrip(", \n\r\t")).startswith("]"):
        try:
            one, end = decoder.raw_decode(text)
        except json.JSONDecodeError:
            more = next(texts, None)
            if more is None:
                raise
            text += more
        else:
            yield one
            text = text[end:]
    for _ in texts:  # to the end, so that the connection can be used again
        pass


def lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Whole lines; what is cut short at the end is left out, as whoever wrote it will write it again."""
    text = ""
    for more in decoded(chunks):
        *whole, text = (text + more).split("\n")
        yield from (line for line in whole if line)


def decoded(chunks: Iterable[bytes]) -> Iterator[str]:
    """Text of UTF-8 that is cut anywhere."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    return (decoder.decode(chunk) for chunk in chunks)
