# SPDX-License-Identifier: ISC
"""A name server and a validating resolver on high ports of 127.0.0.1: nsd serves
a zone, unbound asks nobody else and believes one trust anchor.  Both are killed
when the test is done with them, whatever happens."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time

NSD = '''server:
  ip-address: 127.0.0.1@{port}
  port: {port}
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  logfile: "{folder}/nsd.log"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: "{domain}"
  zonefile: "{zone}"
'''

# Nothing leaves the machine: the one zone is a stub on loopback.
UNBOUND = '''server:
  interface: 127.0.0.1@{port}
  port: {port}
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  logfile: "{folder}/unbound.log"
  use-syslog: no
  verbosity: 1
  val-log-level: 2
  num-threads: 1
  so-reuseport: no
  do-not-query-localhost: no
  trust-anchor-signaling: no
  target-fetch-policy: "0 0 0 0 0"
  module-config: "validator iterator"
  trust-anchor-file: "{anchor}"
  val-override-date: "{time}"
remote-control:
  control-enable: no
stub-zone:
  name: "{domain}"
  stub-addr: 127.0.0.1@{upstream}
'''


def free_port():
    """One that neither UDP nor TCP uses now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(('127.0.0.1', 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return udp.getsockname()[1]


class Answer:
    def __init__(self, text):
        self.rcode = re.search(r'rcode: (\w+)', text).group(1)
        self.flags = re.search(r';; flags: ([a-z ]*)', text).group(1).split()
        self.text = text

    @property
    def is_authentic(self):
        return self.rcode == 'NOERROR' and 'ad' in self.flags


def ask(port, name, kind='A'):
    """With DO and AD set (drill -D); NODATA and failures are answers, too."""
    done = subprocess.run(['drill', '-D', '-o', 'AD', '-p', str(port), name, '@127.0.0.1', kind],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    return Answer(done.stdout) if 'rcode: ' in done.stdout else None


def is_up(port):
    """Does anything answer the shortest of questions?  (drill waits for seconds.)"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.1)
        udp.connect(('127.0.0.1', port))
        try:
            # One question: ". SOA IN" (RFC 1035 section 4.1).
            udp.send(bytes.fromhex('4b520000000100000000000000') + bytes.fromhex('00060001'))
            return bool(udp.recv(512))
        except OSError:
            return False


@contextlib.contextmanager
def running(port, *command):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    try:
        end = time.monotonic() + 10
        while not is_up(port):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end, f'{command[0]} does not answer'
            time.sleep(0.05)
        yield
    finally:
        # The group: nsd has children.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextlib.contextmanager
def serve(zone, domain, folder):
    """nsd with this zone; its port."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    config = folder / 'nsd.conf'
    config.write_text(NSD.format(port=port, folder=folder, zone=zone, domain=domain))
    with running(port, '/usr/sbin/nsd', '-d', '-c', str(config)):
        yield port


@contextlib.contextmanager
def resolve(upstream, domain, anchor, when, folder):
    """unbound that believes the records of the anchor, at a time; its port."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    (folder / 'anchor.ds').write_text('\n'.join(anchor) + '\n')
    config = folder / 'unbound.conf'
    config.write_text(UNBOUND.format(port=port, folder=folder, upstream=upstream, domain=domain, time=when,
                                     anchor=folder / 'anchor.ds'))
    # A copy: Debian's AppArmor profile goes by the path and allows no file of ours.
    program = shutil.copy('/usr/sbin/unbound', folder)
    with running(port, program, '-d', '-c', str(config)):
        yield port
