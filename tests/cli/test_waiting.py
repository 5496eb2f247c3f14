# SPDX-License-Identifier: ISC
"""A tool that waits for an HSM says that it waits, for what and for how long, and
ends at Ctrl-C.  A reader that did not answer hung hsm-list for ever, without a
word, in front of a room."""
import os
import pty
import signal
import time

import pytest

from ceremony_tools import SCRIPTS, environment, run, run_tty, stub

LIST = SCRIPTS / "hsm-list"


@pytest.fixture
def env(tmp_path):
    """One registered driver, and a pkcs11-tool that takes its time."""
    modules = tmp_path / "usr/share/p11-kit/modules"
    modules.mkdir(parents=True)
    (tmp_path / "usr/lib").mkdir()
    (tmp_path / "usr/lib/hsm.so").write_text("driver")
    (modules / "slow.module").write_text("module: /usr/lib/hsm.so\n")
    (modules / "tidy.module").write_text("module: /usr/lib/hsm.so\n")

    def make(command, patience=60):
        stub(tmp_path / "bin", "pkcs11-tool", command)
        return environment(root=tmp_path, KEYROOM_PATIENCE=patience,
                           PATH=f"{tmp_path}/bin:/usr/bin:/bin")
    return make


def test_driver_that_never_answers_is_given_up_and_the_next_is_asked(env):
    status, shown = run_tty(LIST, env=env("exec sleep 100\n", 3))
    assert status == 0
    assert "hsm-list: waiting for the HSM behind slow, 2 s of at most 3; Ctrl-C ends" in shown
    assert shown.count("no answer within 3 s") == 2 and "Driver:     tidy" in shown


def test_without_a_terminal_it_ends_too(env):
    done = run(LIST, env=env("exec sleep 100\n", 1))
    assert done.returncode == 0 and done.stdout.count(b"no answer within 1 s") == 2


def test_quick_answer_says_nothing_of_waiting(env):
    status, shown = run_tty(LIST, env=env("echo 'Slot 0 (0x0): Reader'\necho '  (empty)'\n"))
    assert status == 0 and "waiting" not in shown and shown.count("Slot 0:     Reader") == 2


def test_answer_that_fails_is_said(env):
    done = run(LIST, env=env("echo 'error: no reader'; exit 1\n"))
    assert done.stdout.count(b"no HSM answers: no reader") == 2


def test_ends_at_ctrl_c_and_leaves_nothing_behind(env, tmp_path):
    """The key, as the terminal has it: to all that runs on it."""
    where = tmp_path / "pid"
    settings = env(f'echo $$ >"{where}"\nexec sleep 100\n')
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(LIST, [str(LIST)], settings)
    end = time.monotonic() + 20
    while not (where.exists() and where.read_text().strip()) and time.monotonic() < end:
        time.sleep(0.05)
    os.write(terminal, b"\x03")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    assert status in (130, -signal.SIGINT)
    child = int(where.read_text())
    end = time.monotonic() + 5
    while os.path.exists(f"/proc/{child}") and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}") or "Z" in open(f"/proc/{child}/stat").read()


PRINTERS = SCRIPTS / "configure-printer"


def printers(tmp_path, backend="exit 0\n"):
    """CUPS runs, and what asks a printer gets no answer."""
    stub(tmp_path / "bin", "lpstat", "echo 'scheduler is running'\n")
    stub(tmp_path / "bin", "lpadmin", 'case $* in *-probe*-m*) exec sleep 100 ;; esac\n')
    stub(tmp_path / "bin", "usb", backend)
    return environment(KEYROOM_PATIENCE=3, KEYROOM_USB_BACKEND=tmp_path / "bin/usb", KEYROOM_IPP_PORTS="1",
                       PATH=f"{tmp_path}/bin:/usr/bin:/bin")


def test_printer_that_never_answers_is_given_up(tmp_path):
    status, shown = run_tty(PRINTERS, "--no-test", "ipp://localhost:1/ipp/print", env=printers(tmp_path))
    assert "configure-printer: waiting for the printer at ipp://localhost:1/ipp/print, 2 s of at most 3; Ctrl-C ends" in shown
    assert status == 5 and "ipp://localhost:1/ipp/print: the printer does not answer" in shown, shown


def test_usb_bus_that_never_answers_is_given_up(tmp_path):
    status, shown = run_tty(PRINTERS, "--no-test", env=printers(tmp_path, "exec sleep 100\n"))
    assert "waiting for the printers on USB, 2 s of at most 3" in shown
    assert status == 3 and "no printer found" in shown, shown
