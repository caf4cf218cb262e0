"""The scenarios' notifications, recorded once and posted again in any number of copies.

A copy has ids of its own, so that it represents other calls with the same course.
"""

import contextlib
import http.client
import itertools
import json
import queue
import random
import threading
import time
import urllib.parse
from typing import NamedTuple

from . import demo, paths, processes
from .pbx.signature import sign

#: Members of ``json`` that identify parts of one call.
IDS = ("entry_id", "call_id", "taken_from_call_id", "recording_id", "command_id")
#: Separates the recorded id from the copy's mark.
SEPARATOR = "~"
TIMEOUT = 60  # seconds for one answer
WEBHOOK = "/exec/mango"


class Post(NamedTuple):
    """One notification: the end of the path, and the text of ``json``."""

    kind: str
    text: str


class RecordedScenario(NamedTuple):
    """A recorded scenario: its ``posts`` are pairs of ``kind`` and payload."""

    name: str
    calls: int
    posts: list

    def copy(self, mark):
        """Return the notifications of other calls with the same course.

        :param str mark: makes their ids differ.
        :rtype: list[Post]
        """
        return [Post(kind, _text(_marked(load, mark))) for kind, load in self.posts]


class Answer(NamedTuple):
    """An answer; ``status`` is None if incomplete, ``seconds`` is its duration."""

    post: Post
    status: int | None
    seconds: float


def load():
    """Record every scenario of a call without invalid notifications.

    :rtype: list[RecordedScenario]
    """
    command = [paths.PYTHON, "-m", "devtools.pbx.export"]
    recorded = json.loads(processes.output_of(command, cwd=paths.ROOT))
    scenarios = [RecordedScenario(**scenario) for scenario in recorded]
    return [scenario for scenario in scenarios if scenario.calls]


def multiplied(scenarios, calls):
    """Choose how often to copy each recording for a number of calls.

    Each at least once; the rest are copies of the shortest, to save time.

    :param list[RecordedScenario] scenarios: all recordings.
    :param int calls: the minimum number.
    :return: the recordings, each as often as it should be copied.
    :rtype: list[RecordedScenario]
    """
    chosen = list(scenarios)
    by_length = sorted(
        scenarios, key=lambda scenario: len(scenario.posts) / scenario.calls
    )
    short = itertools.cycle(by_length[: len(scenarios) // 8])
    while sum(scenario.calls for scenario in chosen) < calls:
        chosen.append(next(short))
    return chosen


def copies(scenarios, name):
    """Return the notifications of a copy of each recorded scenario.

    :param list[RecordedScenario] scenarios: each as often as it should be copied.
    :param str name: the prefix of the copies' marks; the scenario and a number follow.
    :rtype: list[Post]
    """
    return [
        post
        for order, scenario in enumerate(scenarios)
        for post in scenario.copy(SEPARATOR.join([name, scenario.name, str(order)]))
    ]


def disordered(posts, seed):
    """Return every notification twice, in any order.

    :param int seed: makes the order reproducible.
    :rtype: list[Post]
    """
    twice = [*posts, *posts]
    random.Random(seed).shuffle(twice)
    return twice


def unmarked(text):
    """Return an id without the copy's mark.

    :param str text: such as ``MTc2NzI1ODAwMDAwMA==~7``.
    :rtype: str
    """
    return text.partition(SEPARATOR)[0]


def deliver(posts, urls, connections, on_answer=None, webhook=WEBHOOK):
    """Post notifications over many connections at once.

    :param list[Post] posts: in the order of sending.
    :param list[str] urls: of the servers, used in turn.
    :param int connections: how many connections at a time.
    :param on_answer: called with each :class:`Answer`, in the thread that received it;
        returning True stops sending.
    :param str webhook: path that is posted to, before the kind.
    :return: the answers, in the order of arrival.
    :rtype: list[Answer]
    """
    waiting = queue.SimpleQueue()
    for post in zip(posts, itertools.cycle(urls)):
        waiting.put(post)
    answers, enough = [], threading.Event()

    def work():
        with contextlib.suppress(queue.Empty):
            while not enough.is_set():
                answer = send(*waiting.get_nowait(), webhook)
                answers.append(answer)
                if on_answer and on_answer(answer):
                    enough.set()

    threads = [threading.Thread(target=work) for _number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def send(post, url, webhook=WEBHOOK):
    """Post one notification, once, because the PBX does not repeat either.

    :param Post post: the notification.
    :param str url: of the server.
    :param str webhook: path that is posted to, before the kind.
    :rtype: Answer
    """
    form = {
        "vpbx_api_key": demo.KEY,
        "sign": sign(demo.KEY, post.text, demo.SALT),
        "json": post.text,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urllib.parse.urlencode(form)
    connection = http.client.HTTPConnection(
        urllib.parse.urlsplit(url).netloc, timeout=TIMEOUT
    )
    started, status = time.monotonic(), None
    try:
        connection.request("POST", f"{webhook}/{post.kind}", body, headers)
        response = connection.getresponse()
        response.read()
        status = response.status
    except (OSError, http.client.HTTPException):
        pass  # refused or interrupted: the PBX would not know either
    finally:
        connection.close()
    return Answer(post, status, time.monotonic() - started)


def _text(payload):
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _marked(payload, mark):
    return {name: _mark(name, value, mark) for name, value in payload.items()}


def _mark(name, value, mark):
    if isinstance(value, dict):
        return _marked(value, mark)
    if name in IDS and value:
        return f"{value}{SEPARATOR}{mark}"
    return value
