# SPDX-License-Identifier: ISC
"""Shows that the documents speak of what is there: every make target, file and
program they name exists, and the commands of RELEASE.md for checking a disc
give the hash that they should."""
import hashlib
import re
import subprocess

import pytest

DOCUMENTS = ['README.md', 'RELEASE.md', 'docs/REHEARSAL.md', 'packages/drivers/README.md']


def targets(top):
    listed = subprocess.run(['make', '-s', 'help'], cwd=top, check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return set(re.findall(r'^  make (\S+)', listed, re.M))


@pytest.mark.parametrize('name', DOCUMENTS)
def test_make_targets_exist(top, name):
    text = (top / name).read_text()
    named = set(re.findall(r'(?:^    |`)make ((?:[a-z-]+ ?)+)', text, re.M))
    words = {word for line in named for word in line.split()}
    assert words and words <= targets(top) | {'alone'}, words - targets(top)


@pytest.mark.parametrize('name', DOCUMENTS)
def test_files_exist(top, name):
    text = (top / name).read_text()
    paths = re.findall(r'`((?:image|packages|lib|signer|postcheck|tools|man|hooks|reproducible|tests|docs)/[A-Za-z0-9_./-]*)`', text)
    missing = [path for path in paths if 'NAME' not in path and not (top / path).exists()]
    assert not missing


def test_commands_that_read_a_stick_back_give_the_hash(top, programs, tmp_path):
    """The command of RELEASE.md, on a stick that is longer than the ISO."""
    command = re.search(r'^    (head -c .* \| sha256sum)$', (top / 'RELEASE.md').read_text(), re.M).group(1)
    iso = tmp_path / re.search(r'keyroom-[0-9.]+-amd64\.iso', command).group(0)
    iso.write_bytes(bytes(range(256)) * 4096)
    stick = tmp_path / 'stick'
    stick.write_bytes(iso.read_bytes() + b'what was there before')
    done = subprocess.run(['sh', '-c', command.replace('/dev/sdX', str(stick))], cwd=tmp_path, check=True,
                          text=True, stdout=subprocess.PIPE)
    digest = hashlib.sha256(iso.read_bytes()).hexdigest()
    assert done.stdout.split()[0] == digest
    words = subprocess.run([programs / 'sha2wordlist', iso], check=True, text=True, stdout=subprocess.PIPE)
    assert digest in words.stdout


def test_a_disc_is_burned_and_read_as_the_other_document_says(top):
    """The step on the second machine had moved; and who has the script of the ceremony
    alone has to know how its disc is written."""
    release, script = ((top / name).read_text() for name in ('RELEASE.md', 'docs/CEREMONY.md'))
    step, = re.findall(r'`docs/CEREMONY\.md`, step (\d+)\)', release)
    assert f'\n## {step}. On a second machine ' in script
    for command in ('xorriso -as cdrecord -v dev=/dev/sr0 -dao -eject ISO', 'xorriso -outdev /dev/sr0 -toc'):
        assert f'`{command}`' in release and f'`{command}`' in script, command


def test_scanners_are_told_what_the_bill_of_materials_does_not_say(top):
    """Its purls name no release of Debian; without one a scanner finds nothing."""
    release = (top / 'RELEASE.md').read_text()
    version = re.search(r'^SUITE=(.*)$', (top / 'image/lib/common.sh').read_text(), re.M)[1]
    assert version == 'trixie' and 'pkg:deb/debian/%s@%s?arch=%s"' in (top / 'image/lib/spdx').read_text().replace('\\', '')
    assert re.findall(r'--distro (\S+)', release) == ['debian:13', 'debian/13']


def test_the_audit_knows_the_words_of_the_menu(top):
    """A word that is added to the menu and not to the audit would be a broken promise at each boot."""
    menu = (top / 'image/boot/grub.cfg.in').read_text()
    words = ' '.join(re.findall(r'(?:_arguments?|serial_line)="([^"]*)"', menu) +
                     re.findall(r'closed_arguments (.*)', menu)).split()
    words = [word for word in words if not word.startswith('$')]
    known = ' '.join(re.findall(r"^MENU_WORDS=[\"'](?:\$MENU_WORDS )?(.*)[\"']$", (
        top / 'tools/system/audit/15-kernel').read_text(), re.M)).split()
    assert {re.sub(r'=[@$].*', '=*', word) for word in words} | {'BOOT_IMAGE=*'} == set(known)
