"""Runs a Python command in a fork of a server that has imported the libraries (warm_python.py).

It behaves as the command does: its files, folder, environment, exit status and signals.
Arguments: the server's socket, the interpreter, then what follows `python` on a command line.
"""

import json
import os
import signal
import socket
import sys


def main(address: str, python: str, *words: str) -> int:
    if words[:1] in ((), ("-",)) or (words[0][0] == "-" and words[0] not in ("-m", "-c")):
        os.execv(python, [python, *words])  # an option, or a program from stdin
    signals = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until there is a process to pass them to
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        request = {"words": words, "parent": os.getppid(), "cwd": os.getcwd()}
        request["environment"] = dict(os.environ)
        data = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(server, [data], [0, 1, 2])
        server.sendall(data[sent:])
        answers = server.makefile()
        pid = int(answers.readline())
        for number in signals:
            signal.signal(number, lambda n, _: os.kill(pid, n))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        status = int(answers.readline())
    if status < 0:  # ended by a signal
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))
