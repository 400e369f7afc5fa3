"""
A clock that is set by hand, in place of the one that a module reads.
"""


class Clock:
    """
    Hold a time in seconds. To sleep is to let it pass.
    """

    now = 0.0

    def monotonic(self) -> float:
        """
        Give the time.
        """
        return self.now

    def sleep(self, seconds: float) -> None:
        """
        Set the time on.
        """
        self.now += seconds
