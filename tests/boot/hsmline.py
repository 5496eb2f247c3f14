# SPDX-License-Identifier: ISC
"""The other end of the stand-in's line (tests/standin), one process a connection:
says again what it hears, in the mood that the file has: well, slow, hung or gone."""
import sys
import time


def mood():
    with open(sys.argv[1], encoding='ascii') as file:
        return file.read()


for line in iter(sys.stdin.buffer.readline, b''):
    if mood() == 'slow':
        time.sleep(3)
    until = time.monotonic() + 300
    while mood() == 'hung' and time.monotonic() < until:
        time.sleep(0.2)
    if mood() == 'gone':
        break
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
