#!/usr/bin/env python3
"""Waits until every address answers on port 22 as an SSH server: answers.py SECONDS ADDRESS..."""

import socket
import sys
import time


def answers(address):
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(8) == b"SSH-2.0-"
    except OSError:
        return False


deadline = time.monotonic() + float(sys.argv[1])
for each in sys.argv[2:]:
    while not answers(each):
        if time.monotonic() > deadline:
            sys.exit(f"{each} does not answer on port 22")
        time.sleep(0.05)
