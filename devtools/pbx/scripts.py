"""Scripts: the actions of people at the phones, step by step.

A script is a generator. It yields a number to let seconds pass, or a condition (a
function without arguments) to wait for; the condition is checked after every change.
"""

from functools import partial

PATIENCE_SECONDS = 90.0


class GaveUp(Exception):
    """A condition did not come true in time."""


class Script:
    """Runs one generator on the exchange's clock.

    :param generator: see the module.
    :param done: called once, with the script, when it is over.
    """

    def __init__(self, exchange, generator, done=None):
        self._exchange = exchange
        self._generator = generator
        self._done = done
        self._condition = None
        self._unwatch = exchange.watch(self._look_soon)
        self._patience = None
        self._looking = False
        self.over = False
        self.error = ""

    def start(self):
        self._step()
        return self

    def stop(self):
        """End the script now."""
        self._generator.close()
        self._end()

    def _step(self, thrown=None):
        if self.over:
            return
        try:
            wait = self._generator.throw(thrown) if thrown else next(self._generator)
        except StopIteration:
            self._end()
            return
        # A failed play is reported and does not affect the PBX.
        except Exception as error:  # noqa: BLE001
            self.error = str(error) or type(error).__name__
            self._end()
            return
        if callable(wait):
            self._await(wait)
            return
        self._exchange.clock.call_later(wait, self._step)

    def _await(self, condition):
        self._condition = condition
        self._patience = self._exchange.clock.call_later(
            PATIENCE_SECONDS,
            partial(self._go_on, GaveUp("nothing happened for too long")),
        )
        self._look_soon()

    def _look_soon(self):
        """Check the condition after the present change."""
        if not self._condition or self._looking:
            return
        self._looking = True
        self._exchange.clock.call_later(0, self._look)

    def _look(self):
        self._looking = False
        if self._condition and self._condition():
            self._go_on()

    def _go_on(self, thrown=None):
        if not self._condition:
            return
        self._condition = None
        self._patience.cancel()
        self._step(thrown)

    def _end(self):
        if self.over:
            return
        self.over = True
        self._condition = None
        self._unwatch()
        if self._done:
            self._done(self)
