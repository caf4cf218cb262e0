"""Format and length of an audio file, read from its content.

The content type of an answer proves nothing: error pages come as ``audio/mpeg``, too.
"""

from dataclasses import dataclass

import mutagen
from mutagen.mp3 import MP3

from .errors import NotAudioError

#: Formats that browsers play, by the names that the library has for them.
_PLAYABLE = {
    "audio/mpeg": "audio/mpeg",
    "audio/wav": "audio/wav",
    "audio/ogg": "audio/ogg",
    "audio/vorbis": "audio/ogg",
    "audio/mp4": "audio/mp4",
    "audio/flac": "audio/flac",
    "audio/aac": "audio/aac",
}
#: Their file extensions.
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
    """An audio file: ``size`` in bytes, ``duration`` in whole seconds, at least 1."""

    mimetype: str
    size: int
    duration: int


def inspect(file):
    """Detect the format and the length of an audio file; only a little of it is read.

    :param file: open for reading, seekable
    :type file: ~typing.BinaryIO
    :rtype: Audio
    :raise NotAudioError: it is empty, or in no format that browsers play
    """
    size = file.seek(0, 2)
    if not size:
        raise NotAudioError("The recording is empty.")
    sound = _open(file)
    # Not "if sound": an object without tags is false.
    names = () if sound is None else sound.mime
    mimetype = next((_PLAYABLE[name] for name in names if name in _PLAYABLE), None)
    length = getattr(sound.info, "length", 0) if mimetype else 0
    # "Sketchy" means that too few MP3 frames were found.
    if not length or getattr(sound.info, "sketchy", False):
        raise NotAudioError("The answer is not a recording.")
    return Audio(mimetype, size, max(1, round(length)))


def _open(file):
    # Without leading tags and a file name, an MP3 is not recognized as one.
    for read in (mutagen.File, MP3):
        file.seek(0)
        try:
            sound = read(file)
        except Exception:  # noqa: BLE001 - a broken file may raise anything
            continue
        if sound is not None:
            return sound
    return None
