"""A service manager's socket: prints each datagram that comes to it, one JSON text a line.

notify_socket.py NAME: a path, or @name in the abstract namespace. A line "open" says that it is there.
"""
import json
import socket
import sys

name = sys.argv[1]
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind("\0" + name[1:] if name.startswith("@") else name)
print(json.dumps("open"), flush=True)
while True:
    print(json.dumps(sock.recv(4096).decode()), flush=True)
