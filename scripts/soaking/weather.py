"""What befalls everybody at once: an outage, under which nobody works; a full disk; the end."""
import threading
import time


class Weather:
    """Threads: any."""

    def __init__(self):
        self.changed = threading.Condition()
        self.outage = self.over = self.full = False
        self.full_until = 0
        self.inside = 0

    def enter(self):
        """Before a step. False: not now."""
        with self.changed:
            if self.outage and not self.over:
                self.changed.wait(1)
            if self.outage or self.over:
                return False
            self.inside += 1
            return True

    def leave(self):
        with self.changed:
            self.inside -= 1
            self.changed.notify_all()

    def wait_for_end_of_outage(self):
        """A step was interrupted: its worker is no longer inside, and comes back when the outage is over."""
        self.leave()
        with self.changed:
            self.changed.wait_for(lambda: not self.outage or self.over)
            self.inside += 1

    def begin_outage(self):
        self.outage = True

    def wait_until_still(self, seconds):
        with self.changed:
            return self.changed.wait_for(lambda: self.inside == 0, seconds)

    def end_outage(self):
        with self.changed:
            self.outage = False
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def fill(self, on):
        self.full = on
        self.full_until = time.monotonic() + 15

    def may_be_full(self):
        return self.full or time.monotonic() < self.full_until
