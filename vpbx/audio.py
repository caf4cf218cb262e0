"""What a file of sound is: its format, its length. The file itself tells.

What a server calls its answer proves nothing: error pages come as ``audio/mpeg``, too.
"""

from dataclasses import dataclass

import mutagen
from mutagen.mp3 import MP3

from .errors import NotAudioError

#: What browsers play, by the names that the library has for it.
_PLAYABLE = {
    "audio/mpeg": "audio/mpeg",
    "audio/wav": "audio/wav",
    "audio/ogg": "audio/ogg",
    "audio/vorbis": "audio/ogg",
    "audio/mp4": "audio/mp4",
    "audio/flac": "audio/flac",
    "audio/aac": "audio/aac",
}
#: How their files are called.
EXTENSIONS = {
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/flac": ".flac",
    "audio/aac": ".aac",
}


@dataclass(frozen=True)
class Audio:
    """A file of sound: ``size`` in bytes, ``duration`` in whole seconds, at least 1."""

    mimetype: str
    size: int
    duration: int


def inspect(file):
    """Find out what a file of sound is; little of it is read.

    :param file: open for reading, seekable
    :type file: ~typing.BinaryIO
    :rtype: Audio
    :raise NotAudioError: it is empty, or nothing that a browser plays
    """
    size = file.seek(0, 2)
    if not size:
        raise NotAudioError("The recording is empty.")
    sound = _open(file)
    # Not "if sound": without tags it is empty.
    names = () if sound is None else sound.mime
    mimetype = next((_PLAYABLE[name] for name in names if name in _PLAYABLE), None)
    length = getattr(sound.info, "length", 0) if mimetype else 0
    # Sketchy is an MP3 of which too little is MP3.
    if not length or getattr(sound.info, "sketchy", False):
        raise NotAudioError("What came is no recording.")
    return Audio(mimetype, size, max(1, round(length)))


def _open(file):
    # Without tags in front and without a name, an MP3 is not guessed to be one.
    for read in (mutagen.File, MP3):
        file.seek(0)
        try:
            sound = read(file)
        except Exception:  # noqa: BLE001 - a broken file may break anything
            continue
        if sound is not None:
            return sound
    return None
