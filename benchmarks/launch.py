"""Runs a command and writes its wall time and peak memory to a file descriptor: ``python -I -S launch.py FD COMMAND...``.

A process's peak, as the kernel tells it, begins with what its parent had; this one has next to nothing.
"""

import os
import sys
import time


def main() -> int:
    descriptor, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(descriptor, False)
    began = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    os.write(descriptor, f"{time.perf_counter() - began} {usage.ru_maxrss}".encode())
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main())
