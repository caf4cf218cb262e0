"""Child processes that are logged, show progress, and end with their parent."""

import contextlib
import ctypes
import os
import signal
import subprocess

from . import paths
from .console import Failure

DEVNULL = subprocess.DEVNULL
PR_SET_PDEATHSIG = 1
STOP_TIMEOUT = 20  # seconds for a child to end by itself

try:
    _prctl = ctypes.CDLL(None).prctl
except (OSError, AttributeError):  # not Linux: children rely on the signal handlers
    _prctl = None


def die_with_parent(signum=signal.SIGTERM):
    """Return a ``preexec_fn`` that makes the kernel end the child with its parent.

    :param int signum: the signal that the child gets when its parent ends, even if it
        was killed.
    :return: a function for ``subprocess``.
    """
    parent = os.getpid()

    def prepare():
        if _prctl:
            _prctl(PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:  # the parent has ended already
            os.kill(os.getpid(), signum)

    return prepare


def end_on_sigterm():
    """Make SIGTERM and SIGHUP unwind the stack like Ctrl-C."""

    def interrupt(signum, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


def spawn(command, **options):
    """Start a child that ends with its parent.

    :param list command: program and arguments.
    :param options: as of :class:`subprocess.Popen`.
    :return: the process.
    :rtype: subprocess.Popen
    """
    options.setdefault("preexec_fn", die_with_parent())
    return subprocess.Popen([str(part) for part in command], **options)


@contextlib.contextmanager
def running(command, **options):
    """Run a child for the time of the block.

    :param list command: program and arguments.
    :param options: as of :class:`subprocess.Popen`.
    """
    process = spawn(command, **options)
    try:
        yield process
    finally:
        stop_tree(process)  # Odoo's workers may be busy when their master has ended


def stop(process, timeout=STOP_TIMEOUT):
    """End a child, gently first.

    :param subprocess.Popen process: the child.
    :param int timeout: seconds for it to end by itself.
    """
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_tree(process, timeout=STOP_TIMEOUT):
    """End a child and its children, gently first.

    :param subprocess.Popen process: the child.
    :param int timeout: seconds for them to end by themselves.
    """
    import psutil  # missing before the virtual environment is created

    started = []
    if process.poll() is None:  # otherwise its process id may have been reused
        started = psutil.Process(process.pid).children(recursive=True)
    stop(process, timeout)
    for child in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()
    for child in psutil.wait_procs(started, timeout)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def is_running(pid):
    """Tell whether a process still exists.

    :param int pid: its process id.
    :rtype: bool
    """
    import psutil

    return psutil.pid_exists(pid)


def run_logged(command, remedy, log_name="setup.log", script=None, **options):
    """Run a command, hiding its output unless it fails.

    :param list command: program and arguments.
    :param str remedy: what to do if it fails; the end of the failure's sentence.
    :param str log_name: file below ``.dev/log`` for the output.
    :param pathlib.Path script: file that is the command's standard input.
    :param options: as of :class:`subprocess.Popen`.
    :raise Failure: if the command fails or does not exist.
    """
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    log_path = paths.LOGS / log_name
    name = os.path.basename(str(command[0]))
    with log_path.open("ab") as log, open(script or os.devnull, "rb") as source:
        log.write(f"$ {' '.join(str(part) for part in command)}\n".encode())
        log.flush()
        try:
            process = spawn(
                command,
                stdin=source,
                stdout=log,
                stderr=subprocess.STDOUT,
                **options,
            )
        except FileNotFoundError as error:
            raise Failure(f"{name} is not on this machine: {remedy}.") from error
        try:
            code = process.wait()
        finally:
            stop(process)
    if code:
        raise Failure(
            f"{name} failed (see {log_path.relative_to(paths.ROOT)}): {remedy}."
        )


def output_of(command, **options):
    """Run a command for its output.

    :param list command: program and arguments.
    :param options: as of :func:`subprocess.run`.
    :return: what it printed.
    :rtype: str
    :raise subprocess.CalledProcessError: if it fails.
    """
    options.setdefault("stderr", subprocess.DEVNULL)
    return subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        **options,
    ).stdout
