"""Recordings: announced during a call, downloadable some time after it.

Each recorded employee has a recording of their own (``mango-api.md`` 3.3); a link to
the file works once (6.3). See ``downloads`` for the transfer of a file.
"""

import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

AUDIO = Path(__file__).with_name("audio")
ADDED_SECONDS = 3.0
CLOUD = "Cloud"
DONE = 1000

LONG_SECONDS = 600
# The format of our files: MPEG 2, layer 3.
BITRATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
SAMPLE_RATES = (22050, 24000, 16000)


class LongTalk:
    """The short files repeated, for a recording long enough to seek in."""

    name = "meeting.mp3"

    def __init__(self, files):
        self._files = files

    def read_bytes(self):
        return self._content

    @cached_property
    def _content(self):
        talk = b"".join(map(_frames, self._files))
        bytes_a_second = BITRATES[talk[2] >> 4] * 1000 // 8
        return talk * (LONG_SECONDS * bytes_a_second // len(talk) + 1)


def _frames(file):
    """Return the frames of an MP3 file, without tags and the info frame."""
    data = file.read_bytes()
    size = 0
    for digit in data[6:10]:  # seven bits each
        size = size << 7 | digit
    start = 10 + size
    bitrate = BITRATES[data[start + 2] >> 4] * 1000
    sample_rate = SAMPLE_RATES[data[start + 2] >> 2 & 3]
    return data[start + 72 * bitrate // sample_rate :]


@dataclass(eq=False)
class Recording:
    """``not_ready``: how many requests are still answered 404 after it was added."""

    id: str
    call: object
    leg: object
    extension: str
    file: Path | LongTalk
    seq: int = 0
    completed: bool = False
    added: bool = False
    not_ready: int = 0


class Recordings:
    """All recordings of this run, and the one-shot links to their files."""

    def __init__(self, clock, settings, company, notifier, ids):
        self._clock = clock
        self._settings = settings
        self._company = company
        self._notifier = notifier
        self._ids = ids
        self._files = sorted(AUDIO.glob("*.mp3"))
        self._long = LongTalk(self._files)
        self._links = {}
        self._watchers = []
        self.items = []

    def watch(self, callback):
        """Call ``callback()`` after a recording was stored."""
        self._watchers.append(callback)

    def of(self, call):
        return [recording for recording in self.items if recording.call is call]

    def start(self, call, leg, extension):
        """Start recording an employee, unless it is already running."""
        if not self._settings.recording or not self._files:
            return
        if self._running(call, extension):
            return
        recording = Recording(
            id=self._ids.recording(),
            call=call,
            leg=leg,
            extension=extension,
            file=self._file_of(call),
            not_ready=call.recording_not_ready,
        )
        self.items.append(recording)
        self._announce(recording, "Started")

    def _file_of(self, call):
        if call.long_recording:
            return self._long
        return self._files[len(self.items) % len(self._files)]

    def follow(self, call, leg, extension):
        """The recorded employee has moved to another leg."""
        recording = self._running(call, extension)
        if not recording:
            return
        recording.leg = leg
        self._announce(recording, "Continued")

    def complete(self, call, extension=None):
        """End the recording of one employee, or all of a call."""
        for recording in self.of(call):
            if recording.completed or extension not in (None, recording.extension):
                continue
            recording.completed = True
            self._announce(
                recording, "Completed", completion_code=DONE, recipient=CLOUD
            )
            self._clock.call_later(ADDED_SECONDS, lambda r=recording: self._add(r))

    def find(self, recording_id):
        return next((r for r in self.items if r.id == recording_id), None)

    def ready(self, recording):
        """Whether a download may start; each refusal counts down ``not_ready``."""
        if not recording.added:
            return False
        if recording.not_ready:
            recording.not_ready -= 1
            return False
        return True

    def make_link(self, recording):
        """:return: a token that :meth:`use_link` accepts once."""
        token = secrets.token_urlsafe(24)
        self._links[token] = recording.file
        return token

    def use_link(self, token):
        """:return: the file, or ``None`` if the link was used or never existed."""
        return self._links.pop(token, None)

    def add_past(self, recording_id, call, leg):
        """Store the recording of a conversation in the past, ready to download."""
        extension = leg.extension or leg.initiator
        file = self._file_of(call)
        recording = Recording(recording_id, call, leg, extension, file)
        recording.completed = recording.added = True
        self.items.append(recording)

    def clear(self):
        self.items.clear()
        self._links.clear()

    def _running(self, call, extension):
        return next(
            (r for r in self.of(call) if r.extension == extension and not r.completed),
            None,
        )

    def _add(self, recording):
        recording.added = True
        staff = self._company.find_staff(recording.extension)
        self._notifier.send(
            "events/record/added",
            {
                "entry_id": recording.call.entry_id,
                "product_id": self._company.product_id,
                "user_id": staff.user_id if staff else -1,
                "timestamp": int(self._clock.now()),
                "recording_id": recording.id,
            },
            recording.call.delivery,
        )
        for callback in self._watchers:
            callback()

    def _announce(self, recording, state, **extra):
        recording.seq += 1
        self._notifier.send(
            "events/recording",
            {
                "recording_id": recording.id,
                "recording_state": state,
                "seq": recording.seq,
                "entry_id": recording.call.entry_id,
                "call_id": recording.leg.call_id,
                "extension": recording.extension,
                "timestamp": int(self._clock.now()),
                **extra,
            },
            recording.call.delivery,
        )
