# SPDX-License-Identifier: ISC
"""Shows that whatever a script or a test runs is named: in image/host-check, which
installs it, or as a thing that every Debian has (base-commands), or as one of the
disc's alone.  Matters: on the machine where a test is written everything is there
already, and on a fresh one nothing is.  (tests/bare tries; this tells at once.)"""
import re
import shutil
import subprocess

import pytest

import programs as commands

# Of a package of image/host-check: what is run beside what is looked for there.
WITH = {
    'disorderfs': 'fusermount', 'cups-client': 'lp lpstat lpoptions cupsaccept cupsreject', 'dosfstools': 'mkfs.vfat',
    'gcc': 'cc', 'ghostscript': 'gs', 'gpg': 'gpgconf', 'ldnsutils': 'drill ldns-signzone ldns-key2ds', 'mtools': 'mdir mtype',
    'poppler-utils': 'pdffonts pdfimages pdfinfo pdftoppm', 'procps': 'pgrep pkill', 'python3-pytest': 'python3', 'squashfs-tools': 'unsquashfs',
    'uidmap': 'newgidmap',
}
# Only in what runs on the disc, or in the builder root that makes it: a test
# replaces these, or asks a virtual machine.
DISC = ('foot grim img2sixel labwc wlr-randr loadkeys setleds depmod mformat mkfs.exfat mman mmd modinfo modprobe nft readelf systemctl '
        'systemd-escape systemd-run systemd-sysext udevadm').split()
# What is run there, and not on the machine that builds.
ELSEWHERE = ('image/rootfs/', 'image/profiles/', 'image/lib/mkefi', 'image/lib/words-in-builder', 'image/init/mkverity',
             'image/init/mkinitramfs')
DISC_FOLDERS = ('tools/', 'image/rootfs/', 'image/profiles/', 'hooks/', 'image/lib/mkefi', 'image/lib/words-in-builder')


def used(top):
    """{command: the files that run it}, and the functions that scripts share."""
    names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=top, check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split('\0')
    found, functions = {}, set()
    for name in filter(None, names):
        path = top / name
        head = path.read_bytes()[:400] if path.is_file() else b''
        run = set()
        if name.endswith('.sh') or re.match(rb'#!.*\b(sh|bash)\b', head) or b'# shellcheck shell=' in head:
            run, defined = commands.of_shell(path.read_text())
            functions |= defined
        elif name.endswith('.py') or b'#!/usr/bin/python3' in head:
            run, maybe = commands.of_python(path.read_text())
            run |= {one for one in maybe if shutil.which(one, path='/usr/sbin:/usr/bin:/sbin:/bin')}
        for command in run:
            found.setdefault(command, set()).add(name)
    return {command: files for command, files in found.items() if command not in functions}


@pytest.fixture(scope='module')
def running(top):
    return used(top)


@pytest.fixture(scope='module')
def ours(build, programs):
    return ({path.name for path in programs.iterdir()} |
            {path.name for place in ('bin', 'sbin') for path in (build / 'host/root/usr' / place).iterdir()})


def rows(top):
    """image/host-check's table: what is looked for, its package, and what needs it."""
    return re.findall(r'^\t(\S+) +(\S+) +(iso|rehearse|test)(?:@\d+)?$', (top / 'image/host-check').read_text(), re.M)


def base(top):
    return [line for line in (top / 'tests/lint/base-commands').read_text().split('\n') if line and line[0] != '#']


def installed(table):
    """The commands that these rows bring."""
    return {one for what, package, _ in table for one in [*what.split('|'), *WITH.get(package, '').split()]}


def building(top, running):
    """{command: the files that run it on the machine that builds}, but for what a file
    itself looks for first, and does without."""
    found = {}
    for command, files in running.items():
        for name in files:
            if not name.startswith(('image/', 'packages/', 'hooks/')) or name.startswith(ELSEWHERE):
                continue
            if command in DISC and name.startswith(DISC_FOLDERS):
                continue
            if not re.search(rf'command -v {re.escape(command)}\b', (top / name).read_text()):
                found.setdefault(command, set()).add(name)
    return found


def test_a_build_runs_only_what_make_iso_installs(top, running):
    """Not what is there for the tests alone: who only builds has none of that."""
    here = building(top, running)
    assert {'tar', 'dpkg-deb', 'sha256sum'} <= set(here)
    named = installed([row for row in rows(top) if row[2] == 'iso']) | set(base(top))
    assert not set(here) - named, {command: sorted(here[command]) for command in sorted(set(here) - named)}


def test_every_command_is_named(top, running, ours):
    table = rows(top)
    assert len(table) > 40
    packages = {package for _, package, _ in table}
    assert set(WITH) <= packages
    named = installed(table)
    unknown = set(running) - named - set(base(top)) - ours - set(DISC)
    assert not unknown, {command: sorted(running[command]) for command in sorted(unknown)}


def test_commands_of_the_disc_are_run_by_nothing_else(running):
    for command in DISC:
        outside = [name for name in running.get(command, ()) if not name.startswith(DISC_FOLDERS)]
        assert not outside, (command, outside)


def test_lists_hold_nothing_that_is_not_run(top, running):
    named = set(DISC) | set(' '.join(WITH.values()).split()) | set(base(top))
    assert named <= set(running), sorted(named - set(running))


@pytest.mark.parametrize('text, run', [
    ('a; b && c || d | e & f', 'abcdef'), ('if a; then b; elif c; then d; else e; fi', 'abcde'),
    ('while a; do b; done; until c; do d; done', 'abcd'), ('x=$(a "$(b)") && y="$(c "${z:-$(d)}")"', 'abcd'),
    ("echo 'a; b' # c; d\ne", 'e'), ('cat <<END\na\nb\nEND\nc', ['cat', 'c']), ('LC_ALL=C a >/dev/null 2>&1', 'a'),
    ('case $(a) in\nb | c) d ;;\n*) e ;;\nesac', 'ade'), ('case $x in b) a ;; esac', 'a'), ('exec a b', 'a'),
    ('f() { a; }\nf b', 'a'), ('x=(a b c)\nd "${x[@]}"', 'd'), ('a \\\n\tb', 'a'), ('! a', 'a'), ('(a)', 'a'),
    ('command -v a >/dev/null', 'a'), ('y=$((a + b))', ''), ('a "it\'s"; b', 'ab'), ('a <(b c) d; e $(f) g', 'abef'), ("a $'x'; b", 'ab'),
])
def test_commands_of_a_script_are_seen(text, run):
    assert commands.of_shell(text)[0] == set(run)


@pytest.mark.parametrize('text, run', [
    ('subprocess.run(["a", "-x", b])', 'a'), ('subprocess.run(["unshare", "-m", "sh", "-ec", "a; b"])', ['unshare', 'sh', 'a', 'b']),
    ('run("/usr/sbin/a", "b")', 'a'), ('x.command(["a"])', 'a'), ('subprocess.Popen([x, "a"])', ''), ('guest.run("a")', ''), ('shutil.which("a")', 'a'),
    ('subprocess.check_output(("a",))', 'a'), ('subprocess.run(["nice", "a"])', ['nice', 'a']),
])
def test_commands_of_a_test_are_seen(text, run):
    assert commands.of_python(text)[0] == set(run)


def test_words_for_a_run_of_the_files_own_may_be_commands():
    assert commands.of_python('def run(*argv):\n    pass\nrun("a", "b")\n') == (set(), {'a'})
