"""Why a daemon's process ended at once, told to whoever started it."""

FAILED = 1
PORT_TAKEN = 3
ALREADY_RUNNING = 4
PORT_FORBIDDEN = 5
