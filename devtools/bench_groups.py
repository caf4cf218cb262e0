"""What ``./dev bench`` measures together, and can measure alone."""

from .console import Failure

#: In the order of the table.
GROUPS = ("webhook", "pages", "routing", "burst", "cards", "wall", "throughput")
#: Those that take too long for a quick run.
THOROUGH_GROUPS = {"cards", "throughput"}


def choose(quick, only):
    """Return the groups to measure, in their order.

    :param bool quick: without those that take too long.
    :param only: some of :data:`GROUPS`; empty for all.
    :raise Failure: if none is left.
    :rtype: list[str]
    """
    chosen = [
        group
        for group in GROUPS
        if (not only or group in only) and not (quick and group in THOROUGH_GROUPS)
    ]
    if not chosen:
        raise Failure(f"--quick does not measure {', '.join(only)}.")
    return chosen
