"""The pre-flight: what will fail after hours, found in seconds.

It runs in a worker's thread: nothing of the calculation's heavy tools is imported, nothing is written, and memory is
bounded whatever the files' size. It reads each file from its beginning, and stops once it has seen enough.
"""

from genoferry.pgsc.preflight.check import check, mirror
from genoferry.pgsc.preflight.facts import Files, Lookup, Site
from genoferry.pgsc.preflight.text_stream import Opener
from genoferry.pgsc.preflight.verdict import ExpectedOverlap, Finding, Verdict

__all__ = ["ExpectedOverlap", "Files", "Finding", "Lookup", "Opener", "Site", "Verdict", "check", "mirror"]
