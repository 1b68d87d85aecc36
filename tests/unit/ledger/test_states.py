"""The life of a job as a state machine: whatever comes in whatever order, the promises of a row hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from genoferry.contracts.events import MAX_EVENT_BYTES, ErrorInfo, ProgressInfo, StepInfo, Warn, event_id
from genoferry.contracts.results import ResultPointer
from genoferry.errors import EventsWaiting, TooManyAttempts
from genoferry.ledger import states
from genoferry.ledger.due import FAR, Deadlines, due_at, owes, ttl
from genoferry.ledger.row import MAX_ATTEMPTS, RECENT_EVENTS, FileState, Intent, Row, encoded

UUID = "00000000-0000-4000-8000-000000000001"
DEADLINES = Deadlines(start=3_600_000, run=172_800_000)
ERROR = ErrorInfo(code="zero-matches", user_message="m" * 1024, retryable=False)
attempts = st.sampled_from([-1, 0, 0, 0, 0])
"""Relative to the present one: mostly right, now and then late."""


class Life(RuleBasedStateMachine):
    @initialize()
    def born(self):
        self.now = 1_000
        self.told = {}
        self.published = []
        self.messages = 0
        self.row = states.requested(
            Row(
                uuid=UUID,
                experiment_id="E",
                name="N",
                run_name="R",
                deployment="d",
                fingerprint="f",
                request_key="k",
                message_ids=("m0",),
                created_at=self.now,
                updated_at=self.now,
                socket_id="s" * 256,
            ),
            self.now,
        )
        self.note()

    def apply(self, transition, *args, **kwargs):
        before = self.row
        self.now += 7_000
        self.row = transition(before, *args, **kwargs)
        assert self.row.sequence >= before.sequence
        if before.terminal and self.row.state != before.state:
            assert transition is states.again, "a terminal row only leaves by again()"
        if before.terminal and transition is not states.again:
            assert (self.row.error, self.row.results, self.row.attempt) == (
                before.error,
                before.results,
                before.attempt,
            ), "the first terminal write wins"
        self.note()

    def note(self):
        for event in self.row.outbox:
            assert self.told.setdefault(event.sequence, event) == event, "a sequence is used once"
            assert event.event_id == event_id(UUID, event.sequence)

    @rule()
    def admit(self):
        self.apply(states.admit, self.now, runner="r")

    @rule(index=st.integers(0, 499), done=st.booleans(), late=attempts)
    def file(self, index, done, late):
        etag = f'"{index:032x}-1234"'
        state = FileState(etag=etag) if done else FileState(upload_id="u" * 100, source_etag=etag)
        self.apply(states.file_state, index, state, attempt=self.row.attempt + late)

    @rule(late=attempts)
    def staged(self, late):
        self.apply(states.staged, self.now, attempt=self.row.attempt + late)

    @rule()
    def intend(self):
        intent = Intent(attempt=self.row.attempt, runner="r", name="n" * 59, nonce="x" * 36)
        self.apply(states.intend, self.now, intent)
        assert self.row.intent is None or self.row.intent.attempt == self.row.attempt

    @rule(late=attempts)
    def submitted(self, late):
        self.apply(states.submitted, self.now, attempt=self.row.attempt + late, ref="r" * 200)

    @rule(late=attempts)
    def running(self, late):
        self.apply(states.running, self.now, attempt=self.row.attempt + late)

    @rule(late=attempts, done=st.integers(0, 3))
    def progressed(self, late, done):
        info = ProgressInfo(phase="p", done=done, total=3, unit="steps")
        self.apply(states.progressed, self.now, info, attempt=self.row.attempt + late, every=15_000)

    @rule(late=attempts)
    def hinted(self, late):
        self.apply(states.hinted, self.now, attempt=self.row.attempt + late)

    @rule(late=st.sampled_from([0, 0, 1]))
    def looked(self, late):
        self.apply(states.looked, (self.row.look_at or 0) - late)

    @rule(late=attempts)
    def held_back(self, late):
        self.apply(states.held_back, self.now, attempt=self.row.attempt + late)

    @rule(late=attempts)
    def succeed(self, late):
        results = (ResultPointer(key="k" * 100, content_type="text/html", size=1),) * 5
        self.apply(states.succeed, self.now, attempt=self.row.attempt + late, results=results, verified="size")

    @rule(late=attempts)
    def fail(self, late):
        self.apply(states.fail, self.now, ERROR, attempt=self.row.attempt + late, trace_name="T", trace_exit=15)

    @rule()
    def cancel(self):
        self.apply(states.cancel, self.now)

    @rule()
    def expire(self):
        self.apply(states.expire, self.now)

    @precondition(lambda self: self.row.attempt < MAX_ATTEMPTS and self.row.state in ("SUBMITTED", "RUNNING"))
    @rule(late=attempts)
    def lose(self, late):
        self.apply(states.lose, self.now, attempt=self.row.attempt + late, delay=5)

    @rule()
    def again(self):
        self.messages += 1
        try:
            self.apply(states.again, self.now, f"message-{self.messages:036d}", "k" * 90)
        except TooManyAttempts:
            assert self.row.attempt == MAX_ATTEMPTS
        except EventsWaiting:
            waiting = [event.event for event in self.row.outbox]
            assert len(waiting) > states.MAX_UNTOLD or "Result" in waiting

    @rule()
    def attach(self):
        self.apply(states.republish, self.now)

    @rule(count=st.integers(1, 10))
    def publish(self, count):
        ids = [e.event_id for e in self.row.outbox[:count]]
        self.published += ids
        self.apply(states.published, frozenset(ids))
        assert not {e.event_id for e in self.row.outbox} & set(self.published)

    @rule()
    def clean(self):
        if self.row.clean_up:
            self.apply(states.cleaned, self.row.clean_up[0])

    @rule(delay=st.integers(0, 60_000))
    def back_off(self, delay):
        self.apply(states.back_off, self.now, delay)

    @invariant()
    def promises(self):
        row = self.row
        assert row.attempt <= MAX_ATTEMPTS
        assert len(row.message_ids) <= MAX_ATTEMPTS
        assert len(row.recent) <= RECENT_EVENTS
        assert [e.sequence for e in row.outbox] == sorted({e.sequence for e in row.outbox})
        assert sum(e.event == "Progress" for e in row.outbox) <= 1
        assert all(len(e.model_dump_json().encode()) <= MAX_EVENT_BYTES for e in row.outbox)
        assert row.terminal == (row.ended_at is not None)
        assert len(set(row.clean_up)) == len(row.clean_up)

    @invariant()
    def what_is_owed(self):
        row = self.row
        due, owed, keep = due_at(row, DEADLINES), owes(row, DEADLINES), ttl(row)
        finished = row.terminal and not row.outbox and not row.clean_up
        assert (due is None) == finished, "a row that is owed anything is in the index, a finished one is not"
        assert (keep is not None) == finished, "a row is dropped only when terminal, published and cleaned"
        if not row.terminal:
            assert due is not None
            assert due <= FAR
            assert owed, "a live row is always owed something"
        assert Row.model_validate_json(encoded(row)) == row


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestLife = Life.TestCase


PROGRESS = ProgressInfo(
    phase="p" * 32,
    done=10**5,
    total=10**6,
    unit="processes",
    steps=tuple(StepInfo(name=f"{n:032d}", done=999, running=99, pending=9, peak_memory=10**11) for n in range(24)),
    cpu_hours=12345.6789,
)
"""As large as the Nextflow engine's gets."""


def _intent(number):
    warnings = tuple(Warn(code="c" * 24, message="w" * 160) for _ in range(12))
    return Intent(attempt=number, runner="local:" + "h" * 64, name="n" * 59, nonce="x" * 36, warnings=warnings)


def _at_most(make_row, *, keep_outbox):
    """A row driven as far as it goes: 500 files, 16 attempts, each failing with the longest message."""
    row = make_row(socket_id="s" * 256, traceparent=f"00-{'a' * 32}-{'b' * 16}-01", experiment_id="e" * 128)
    now, largest = 10_000, 0
    for number in range(1, MAX_ATTEMPTS + 1):
        row = states.admit(row, now, runner="local:" + "h" * 64)
        for index in range(500):
            row = states.file_state(row, index, FileState(etag=f'"{index:032x}-1234"'), attempt=number)
        row = states.file_state(row, 499, FileState(upload_id="u" * 200, source_etag=f'"{1:064x}"'), attempt=number)
        row = states.staged(row, now, attempt=number)
        row = states.intend(row, now, _intent(number))
        row = states.submitted(row, now, attempt=number, ref="r" * 300)
        row = states.running(row, now, attempt=number)
        row = states.progressed(row, now, PROGRESS, attempt=number, every=0)
        largest = max(largest, len(encoded(row)))
        row = states.fail(
            row, now, ERROR, attempt=number, trace_name="T" * 80, trace_exit=15, log_tail=("l" * 400,) * 10
        )
        largest = max(largest, len(encoded(row)))
        if not keep_outbox:
            row = states.published(row, frozenset(e.event_id for e in row.outbox))
        for owed in row.clean_up:
            row = states.cleaned(row, owed)
        if number < MAX_ATTEMPTS:
            try:
                row = states.again(row, now, "m" * 36, "k" * 100)
            except EventsWaiting:
                assert keep_outbox
                return largest
    return largest


def test_a_row_at_its_largest_fits(make_row):
    assert _at_most(make_row, keep_outbox=False) < 64 * 1024


def test_a_row_at_its_largest_fits_while_the_topic_takes_nothing(make_row):
    assert _at_most(make_row, keep_outbox=True) < 64 * 1024


def test_attach_while_only_progress_waits_tells_the_present_state(make_row):
    row = make_row()
    row = states.published(states.admit(row, 1, runner="r"), frozenset(e.event_id for e in row.outbox))
    info = ProgressInfo(phase="p", done=1, total=2, unit="bytes")
    row = states.progressed(row, 2, info, attempt=1, every=0)
    row = states.republish(row, 3)
    assert [e.event for e in row.outbox] == ["Progress", "Requested"]
    assert states.republish(row, 4) is row, "one pending re-publication"


def test_a_second_failure_is_told_of_again_with_its_process(make_row):
    row = states.fail(make_row(), 1, ERROR, attempt=1, trace_name="T", trace_exit=15)
    row = states.published(row, frozenset(e.event_id for e in row.outbox))
    told = states.republish(row, 5).outbox[-1]
    assert (told.event, told.trace_name, told.trace_exit, told.error) == ("Failed", "T", 15, ERROR)


def test_a_transition_that_does_not_apply_returns_the_row_itself(make_row):
    row = make_row()
    ended = states.fail(row, 1, ERROR, attempt=1)
    assert states.fail(ended, 2, ERROR, attempt=1) is ended
    assert states.expire(ended, 2) is ended
    assert states.succeed(ended, 2, attempt=1, results=(), verified="none") is ended
    assert states.staged(row, 2, attempt=1) is row
    assert states.submitted(row, 2, attempt=1, ref="r") is row
    assert states.hinted(ended, 2, attempt=1) is ended
    assert states.looked(row, 2) is row
    assert states.held_back(row, 2, attempt=1) is row


def test_a_hint_that_comes_while_a_look_is_under_way_is_owed_still(make_row):
    asked = states.hinted(make_row(), 5, attempt=1)
    again = states.hinted(asked, 9, attempt=1)
    assert states.looked(asked, 5).look_at is None
    assert states.looked(again, 5) is again
