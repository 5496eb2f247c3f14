# SPDX-License-Identifier: ISC
"""Printers of this machine at addresses of the guest's network, which reaches
nothing else: one that takes PDF, one that takes only pixels, and a laser at port
9100 behind the first one's address."""
import re
import sys

PDF_PRINTER, PIXEL_PRINTER = '192.168.0.3', '192.168.0.4'
# One connection of the guest, carried to a port of this machine.
RELAY = '''import os, socket, sys, threading
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def carry():
    while piece := os.read(0, 65536):
        line.sendall(piece)
    line.shutdown(socket.SHUT_WR)
threading.Thread(target=carry, daemon=True).start()
while piece := line.recv(65536):
    while piece:
        piece = piece[os.write(1, piece):]
'''


def printers_of(room):
    """Address and port in the guest: the URI behind it, and where its pages arrive."""
    return {(PDF_PRINTER, 631): room.everywhere(),
            (PIXEL_PRINTER, 631): room.everywhere('image/pwg-raster,image/urf'),
            (PDF_PRINTER, 9100): room.listener()}


def network(printers, folder):
    """QEMU arguments: a network card, and nothing behind it but the printers."""
    (folder / 'relay.py').write_text(RELAY)
    forwards = ''.join(
        f',guestfwd=tcp:{address}:{port}-cmd:{sys.executable} {folder}/relay.py '
        f'{re.search(":([0-9]+)", uri.split("//")[1])[1]}'
        for (address, port), (uri, _) in printers.items())
    return ['-netdev', 'user,id=net,net=192.168.0.0/24,host=192.168.0.250,dns=192.168.0.251,'
            'restrict=on' + forwards,
            '-device', 'e1000e,netdev=net']
