from . import (
    test_recording_fetch,
    test_recording_keeping,
    test_recording_load,
    test_recording_rights,
)
