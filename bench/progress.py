"""What a run says while it runs, on standard error, so that standard output holds the results alone."""

import sys
import time

_BEGAN = time.monotonic()


def say(text: str) -> None:
    sys.stderr.write(f"[{time.monotonic() - _BEGAN:6.1f}s] {text}\n")
    sys.stderr.flush()
