"""A long recording is complete although its download breaks off."""

import time

from .pbx.recordings import AUDIO, LongTalk

CUTS = 2
BYTES_A_SECOND = 2_000_000
FETCHING_SECONDS = 60


def check(bed):
    """Let the download of a recording break off, and compare the result.

    :param TestBed bed: with Odoo running.
    :return: name, success and detail of the check.
    :rtype: tuple[str, bool, str]
    """
    name = f"a recording that is cut {CUTS} times resumes and is complete"
    server = bed.log_in("admin", "admin")
    entry_id = bed.pbx.play("long-recording")["calls"][0]["entry_id"]
    domain = [("call_id.entry_id", "=", entry_id)]
    [recording] = server.search_read("mango.recording", domain, ["call_id"])
    since = bed.pbx.last_id()
    bed.pbx.post("settings", download_cuts=CUTS, download_rate=BYTES_A_SECOND)
    try:
        server.call("mango.call", "action_request_recordings", recording["call_id"][:1])
        state = _wait(server, domain)
    finally:
        bed.pbx.post("settings", download_cuts=0, download_rate=0)
    statuses = [entry["status"] for entry in bed.pbx.commands("files", since)]
    path = f"/web/content/mango.recording/{recording['id']}/audio"
    _status, _kind, audio = server.get(path)
    expected = LongTalk(sorted(AUDIO.glob("*.mp3"))).read_bytes()
    is_whole = audio == expected
    ok = is_whole and statuses == [200] + [206] * CUTS
    detail = f"{state}, {len(audio)} of {len(expected)} bytes; downloads: {statuses}"
    return name, ok, detail


def _wait(server, domain):
    """Wait until a recording is ready or has failed.

    :return: its state.
    :rtype: str
    """
    deadline = time.monotonic() + FETCHING_SECONDS
    while True:
        [recording] = server.search_read("mango.recording", domain, ["state"])
        if recording["state"] != "requested" or time.monotonic() > deadline:
            return recording["state"]
        time.sleep(0.2)
