"""Gathering the facts: every file is read from its beginning, once, and no further than needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from genoferry.contracts.pipeline import PipelineParam, TargetGenome
from genoferry.errors import ToolsMissing
from genoferry.pgsc.bounds import SAMPLES, SCOREFILE, VARIANTS, VCF, Bounds, OverBound
from genoferry.pgsc.preflight.chromosomes import LENGTHS
from genoferry.pgsc.preflight.decompress import Unreadable
from genoferry.pgsc.preflight.facts import Facts, Files, Lookup, Row, Site
from genoferry.pgsc.preflight.genotype_header import Geno, look
from genoferry.pgsc.preflight.matching import Kept, Wanted
from genoferry.pgsc.preflight.samples import Samples, read_samples
from genoferry.pgsc.preflight.scores import Score, read_score
from genoferry.pgsc.preflight.text_stream import Opener, opened
from genoferry.pgsc.preflight.variant_header import Layout
from genoferry.pgsc.preflight.variant_summary import Variants
from genoferry.pgsc.preflight.variants import Looking, scan
from genoferry.settings import PreflightSettings

MAX_SAMPLE = 50_000
"""Variants of all scores together that are looked for: some 15 MiB."""

MAX_SCORE_LINES = 5_000_000
"""Lines of all scorefiles together that are read."""

MAX_TEXT = 2 * 1024**3
"""Bytes of text of all variant files together that are read: a VCF of many samples has much of it a variant."""

MAX_SCORE_TEXT = 1024**3
"""Bytes of text of all scorefiles together that are read."""

BOUNDS: Mapping[str, Bounds] = {"pfile": VARIANTS, "bfile": VARIANTS, "vcf": VCF}

LAYOUTS: Mapping[str, Layout] = {"pfile": "pvar", "bfile": "bim", "vcf": "vcf"}


@dataclass
class Gathering:
    """One go at it."""

    pipeline: PipelineParam
    files: Files
    settings: PreflightSettings
    lookup: Lookup | None
    stop: threading.Event
    _samples: dict[str, Samples] = field(default_factory=dict)

    def run(self, site: Site) -> Facts:
        """Raises `CalculationStopped`, and what the openers and streams raise."""
        openers, missing = self._openers()
        scores = self._scores(openers)
        nxf = self.pipeline.nxf_params_file
        kept = Kept(nxf.keep_ambiguous, nxf.keep_multiallelic)
        looking = Looking(_sought(scores), kept, LENGTHS[nxf.target_build])
        found = self.lookup is not None or (bool(openers) and site.ids != "mirror")
        unasked = len(nxf.pgp_ids) + len(nxf.efo_ids) + (0 if found else len(nxf.pgs_ids))
        rows = self._rows(looking)
        return Facts(self.pipeline, rows, scores, missing, unasked, site)

    def _openers(self) -> tuple[dict[str, Opener], tuple[str, ...]]:
        ids = self.pipeline.nxf_params_file.pgs_ids if self.lookup is not None else ()
        found = {pgs_id: self.lookup(pgs_id) if self.lookup else None for pgs_id in ids}
        there = {pgs_id: opener for pgs_id, opener in found.items() if opener is not None}
        return {**self.files.scorefiles, **there}, tuple(name for name in found if name not in there)

    def _scores(self, openers: Mapping[str, Opener]) -> tuple[Score, ...]:
        count = max(1, len(openers))
        sample = max(10, min(self.settings.score_sample, MAX_SAMPLE // count))
        return tuple(self._score(name, opener, sample, count) for name, opener in openers.items())

    def _score(self, name: str, opener: Opener, sample: int, count: int) -> Score:
        with opened(opener, self.stop, MAX_SCORE_TEXT // count, SCOREFILE) as text:
            try:
                return read_score(text, name, sample=sample, most=MAX_SCORE_LINES // count)
            except Unreadable as error:
                return Score(name, name, compression=text.compression, fault=_fault(error))
            except OverBound as error:
                return Score(name, name, compression=text.compression, fault="over", over=str(error))

    def _rows(self, looking: Looking) -> tuple[Row, ...]:
        """What a file doesn't need of its share goes to those that follow."""
        rows, variants, text = [], self.settings.max_variants, MAX_TEXT
        targets = self.pipeline.target_genomes
        for left, row in zip(range(len(targets), 0, -1), targets, strict=True):
            seen = self._variants(row, looking, variants // left, text // left)
            variants -= seen.count if seen else 0
            text = max(0, text - (seen.bytes if seen else 0))
            if row.format == "vcf":
                rows.append(Row(row, seen, seen.samples if seen else None, None))
            else:
                rows.append(Row(row, seen, self._samples_of(row.pheno), self._geno(row)))
        return tuple(rows)

    def _variants(self, row: TargetGenome, looking: Looking, most: int, size: int) -> Variants | None:
        opener = self.files.targets.get(row.variants)
        if opener is None:
            return None
        bounds = BOUNDS[row.format]
        with opened(opener, self.stop, max(size, bounds.line), bounds) as text:
            try:
                return scan(text, LAYOUTS[row.format], row.chrom, looking, most)
            except Unreadable as error:
                return Variants(row.chrom, text.compression, fault=_fault(error))
            except OverBound as error:
                return Variants(row.chrom, text.compression, fault="over", over=str(error))

    def _samples_of(self, name: str) -> Samples | None:
        """Read once: one file may serve many rows."""
        opener = self.files.targets.get(name)
        if opener is None:
            return None
        if name not in self._samples:
            with opened(opener, self.stop, SAMPLES.text, SAMPLES) as text:
                try:
                    self._samples[name] = read_samples(text)
                except Unreadable as error:
                    self._samples[name] = Samples(fault=_fault(error), compression=text.compression)
                except OverBound as error:
                    self._samples[name] = Samples(fault="over", over=str(error), compression=text.compression)
        return self._samples[name]

    def _geno(self, row: TargetGenome) -> Geno | None:
        opener = self.files.targets.get(row.geno)
        if opener is None:
            return None
        with opened(opener, self.stop) as text:
            return look(text.start, is_pgen=row.format == "pfile")


def _fault(error: Unreadable) -> Literal["unread", "unreadable"]:
    return "unread" if error.kind is ToolsMissing else "unreadable"


def _sought(scores: Sequence[Score]) -> dict[str, dict[int, list[Wanted]]]:
    sought: dict[str, dict[int, list[Wanted]]] = {}
    for wanted in (wanted for score in scores for wanted in score.sample):
        if wanted.chrom is not None:
            sought.setdefault(wanted.chrom, {}).setdefault(wanted.pos, []).append(wanted)
    return sought
