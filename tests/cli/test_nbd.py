# SPDX-License-Identifier: ISC
"""Shows that the drive of the boot tests (tests/boot/nbd.py) serves what it should to a
client that is not ours, fails where it is told to, notes what it was asked, and that its
model of an optical drive is the one that the budgets are given in."""
import pathlib
import subprocess
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'boot'))
import nbd  # noqa: E402

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def drive(tmp_path):
    (tmp_path / 'image').write_bytes(CONTENT)
    with nbd.Drive(tmp_path / 'image', tmp_path / 'line', writable=True) as made:
        yield made


def qemu_io(drive, *commands):
    words = [word for command in commands for word in ('-c', command)]
    return subprocess.run(['qemu-io', '-f', 'raw', *words, f'nbd+unix:///?socket={drive.socket_path}'],
                          capture_output=True, text=True, check=False)


def test_a_client_reads_what_is_there(drive):
    shown = qemu_io(drive, 'read -v 0 512', 'read -v 1048064 512').stdout
    rows = [bytes.fromhex(line[11:58]) for line in shown.splitlines() if line[8:11] == ':  ']
    assert b''.join(rows) == CONTENT[:512] + CONTENT[-512:]
    assert drive.reads == [(0, 512), (1048064, 512)]


def test_a_client_writes(drive, tmp_path):
    done = qemu_io(drive, 'write -P 7 4096 4096', 'flush', 'read -P 7 4096 4096')
    assert done.returncode == 0 and 'Pattern verification failed' not in done.stdout, done.stdout + done.stderr
    assert (tmp_path / 'image').read_bytes()[4095:8193] == b'\xff' + b'\x07' * 4096 + b'\x00'
    assert drive.writes == [(4096, 4096)]


def test_bad_sectors_fail_and_their_neighbours_do_not(drive):
    drive.bad.add(8192)
    assert 'Input/output error' in qemu_io(drive, 'read 8192 512').stdout
    assert 'Input/output error' in qemu_io(drive, 'write 4096 8192').stdout
    assert 'Input/output error' not in qemu_io(drive, 'read 4096 4096', 'read 8704 512').stdout
    assert (8192, 512) in drive.reads


def test_the_power_goes_in_the_middle_of_a_write(drive, tmp_path):
    """The third: half of its sectors are there, and nothing that comes after."""
    drive.cut = 2
    done = qemu_io(drive, 'write -P 1 0 512', 'write -P 2 512 512', 'write -P 3 1024 2048', 'write -P 4 4096 512')
    assert 'failed' in done.stdout + done.stderr and drive.gone.is_set()
    written = (tmp_path / 'image').read_bytes()
    assert written[:2048] == b'\1' * 512 + b'\2' * 512 + b'\3' * 1024
    assert written[2048:] == CONTENT[2048:] and len(drive.writes) == 2


@pytest.mark.parametrize('reads, total, seeks, seconds', [
    ([(0, 4_700_000)], 4_700_000, 0, 1.0),
    # Read through, not sought: a short way forward.
    ([(0, 1000), (301_000, 1000)], 302_000, 0, 302_000 / 4.7e6),
    ([(0, 0), (524_288, 0)], 0, 1, 0.1 + 524_288 * 0.05 / 100e6),
    # Back is always a seek, and far ones take longer.
    ([(0, 0), (100_000_000, 0), (0, 0)], 0, 2, 0.3),
])
def test_the_model_of_a_drive(reads, total, seeks, seconds):
    found = nbd.cost(reads)
    assert found[:2] == (total, seeks) and abs(found[2] - seconds) < 1e-6
