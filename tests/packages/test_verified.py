# SPDX-License-Identifier: ISC
"""Shows that of an archive's signed file nothing is believed but what the
signature covers, and that only a key of ours, that is good today, counts; else
whoever sits between a rebuilder and the archive becomes root of the rebuilder
(the kind of CVE-2013-1051)."""
import base64
import hashlib
import os
import re
import shlex
import subprocess

import pytest

import archives
from archives import keys  # noqa: F401 (a fixture)

LOCKED = '20260101T000000Z'


@pytest.fixture(scope='module')
def tree(tmp_path_factory, keys):
    """A tree that believes all of the keys but the stranger's; and what the
    revoked one signed before it was."""
    made = archives.copy_tree(tmp_path_factory.mktemp('verified') / 'tree')
    archives.believe(made, keys, 'good', 'second', 'expired', 'revoked')
    # Three packages are as good as four hundred.
    lock = made / 'packages/trixie-amd64.lock'
    lock.write_text(''.join(lock.read_text().splitlines(keepends=True)[:9]))
    return made


@pytest.fixture(scope='module')
def by_revoked(keys):
    signed = {names: keys.sign(archives.release(), *names) for names in (('revoked',), ('good', 'revoked'))}
    keys.revoke('revoked')
    return signed


def verify(tree, keys, folder, signed, not_before=LOCKED, codename='trixie'):
    (folder / 'InRelease').write_bytes(signed)
    done = archives.run(tree / 'packages/lib/verified', codename, not_before, folder / 'InRelease', folder / 'out',
                        env=archives.environment(folder, KEYRING=keys.ring))
    assert not [name for name in os.listdir(folder) if name.startswith('out.') and name != 'out.signers']
    assert (done.returncode == 0) == (folder / 'out').exists()
    return done


def refused(tree, keys, folder, signed, why, **options):
    done = verify(tree, keys, folder, signed, **options)
    assert done.returncode == 1 and re.search('^refused: .*' + why, done.stdout, re.M), done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stdout


def test_signed_text_comes_out_as_it_was_signed(tree, keys, tmp_path):
    text = archives.release(b'index', more='Description: two\n lines of it\n')
    done = verify(tree, keys, tmp_path, keys.sign(text, 'good'))
    assert done.returncode == 0, done.stdout
    assert (tmp_path / 'out').read_bytes() == text
    assert (tmp_path / 'out.signers').read_text().split() == [keys.prints['good']]


def test_each_signer_of_ours_is_named_once_and_no_other(tree, keys, tmp_path):
    done = verify(tree, keys, tmp_path, keys.sign(archives.release(), 'good', 'stranger', 'second'))
    assert done.returncode == 0, done.stdout
    assert (tmp_path / 'out.signers').read_text().split() == sorted([keys.prints['good'], keys.prints['second']])


def test_a_signature_by_a_key_that_is_not_in_the_keyring_does_not_count(tree, keys, tmp_path):
    ring = tmp_path / 'ring'
    ring.write_bytes(keys.gpg('--export', keys.prints['second']))
    signed = keys.sign(archives.release(), 'good')
    (tmp_path / 'InRelease').write_bytes(signed)
    done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', tmp_path / 'InRelease', tmp_path / 'out',
                        env=archives.environment(tmp_path, KEYRING=ring))
    assert done.returncode == 1 and 'no signature by a key in packages/keyring/fingerprints' in done.stdout


def test_a_keyring_is_found_from_where_it_is_named(tree, keys, tmp_path):
    """gpgv looks for a name without a slash in a folder of its own, which is empty."""
    (tmp_path / 'my.gpg').write_bytes(keys.ring.read_bytes())
    (tmp_path / 'InRelease').write_bytes(keys.sign(archives.release(), 'good'))
    done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', 'InRelease', 'out', cwd=tmp_path,
                        env=archives.environment(tmp_path, KEYRING='my.gpg'))
    assert done.returncode == 0, done.stdout


def test_a_fault_of_the_machine_is_not_the_sources(tree, keys, tmp_path):
    """Without a keyring no source has a good signature: who reads that looks for others."""
    site = tmp_path / 'site/dists/trixie'
    site.mkdir(parents=True)
    (site / 'InRelease').write_bytes(keys.sign(archives.release(), 'good'))
    for ring in (tmp_path / 'none.gpg', tmp_path):
        environment = archives.environment(tmp_path, KEYRING=ring, MIRROR=tmp_path / 'site')
        done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', site / 'InRelease', tmp_path / 'out', env=environment)
        assert done.returncode == 2 and f'no keyring {ring}: install' in done.stdout, done.stdout
        done = archives.run(tree / 'packages/lock', 'made.lock', cwd=tmp_path, env=environment)
        assert done.returncode == 1 and 'no source offers' not in done.stdout, done.stdout
        assert f'trixie/InRelease cannot be verified on this machine: no keyring {ring}' in done.stdout, done.stdout


def test_an_endless_release_does_not_fill_the_disk(tree, keys, tmp_path):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b'x' * 65536)
    with archives.serving(tmp_path / 'site') as server:
        server.status['/dists/trixie/InRelease'] = endless
        done = archives.run(tree / 'packages/lock', 'made.lock', cwd=tmp_path,
                            env=archives.environment(tmp_path, KEYRING=keys.ring, MIRROR=server.address))
    assert done.returncode == 1 and 'no trixie/InRelease: sends more than it should' in done.stdout, done.stdout


FORGED = b'SHA256:\n ' + b'0' * 64 + b' 1 main/binary-amd64/Packages.xz\n'


@pytest.mark.parametrize('forge, why', [
    (lambda signed, other: FORGED + signed, 'text before the signed message'),
    (lambda signed, other: b'\n' + signed, 'text before the signed message'),
    (lambda signed, other: b'\xef\xbb\xbf' + signed, 'text before the signed message'),
    (lambda signed, other: signed + FORGED, 'text after the signature'),
    (lambda signed, other: signed + b'\n', 'text after the signature'),
    (lambda signed, other: signed + signed, 'text after the signature'),
    (lambda signed, other: other + signed, 'text after the signature'),
    (lambda signed, other: signed.replace(b'-----BEGIN PGP SIGNATURE', FORGED + b'-----BEGIN PGP SIGNATURE'),
     'is bad: the text was changed'),
    (lambda signed, other: signed.replace(b'\n\n', b'\n' + FORGED + b'\n', 1), 'an armor header other than Hash'),
    (lambda signed, other: signed.replace(b'\n\n', b'\nNotDashEscaped: yes\n\n', 1), 'an armor header other than Hash'),
    (lambda signed, other: signed.replace(b'-----END PGP', FORGED + b'-----END PGP'), 'text inside the signature'),
    (lambda signed, other: signed.replace(b'Origin: Debian', b'Origin: Debiao'), 'is bad: the text was changed'),
    (lambda signed, other: signed.replace(b'\n', b'\r\n'), 'a control character'),
    (lambda signed, other: signed.replace(b'Origin', b'\0Origin'), 'a NUL byte|is bad'),
    (lambda signed, other: signed.replace(b'SHA256:', b'-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nSHA256:'),
     'a second message inside the first'),
    (lambda signed, other: signed[:signed.index(b'-----BEGIN PGP SIGNATURE')], 'no whole signed message'),
    (lambda signed, other: signed[:-40], 'no whole signed message'),
    (lambda signed, other: b'', 'no whole signed message'),
    (lambda signed, other: archives.release(), 'text before the signed message'),
    (lambda signed, other: signed[:signed.index(b'\n\n') + 2] + archives.release() +
     signed[signed.index(b'-----BEGIN PGP SIGNATURE'):], 'is bad: the text was changed'),
])
def test_anything_beside_one_signed_message_is_refused(tree, keys, tmp_path, forge, why):
    signed = keys.sign(archives.release(b'index'), 'good')
    other = keys.sign(archives.release(b'forged'), 'stranger')
    forged = forge(signed, other)
    assert forged != signed
    refused(tree, keys, tmp_path, forged, why)


def armored(signed, change, end=b''):
    """The message with its signature's packets changed, and further lines in the armor."""
    head, middle, rest = signed.partition(b'-----BEGIN PGP SIGNATURE-----\n')
    body = rest.partition(b'-----END')[0].strip().partition(b'\n=')[0]
    packets = change(base64.b64decode(body))
    crc = 0xb704ce
    for byte in packets:
        crc ^= byte << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864cfb if crc & 0x800000 else 0)
    summed = b'=' + base64.b64encode(crc.to_bytes(3, 'big')) + b'\n'
    return head + middle + b'\n' + base64.encodebytes(packets) + summed + end + b'-----END PGP SIGNATURE-----\n'


def test_much_behind_what_is_refused_changes_nothing(tree, keys, tmp_path):
    """What reads the packets stopped at the first, and what feeds it failed, or not, by chance."""
    signed = keys.sign(archives.release(b'index'), 'good')
    forged = armored(signed, lambda packets: b'\x90\1\0' + bytes(1 << 18))
    refused(tree, keys, tmp_path, forged, r'a second message inside the signature \(a packet of type 4\)')


@pytest.mark.parametrize('how', ['before', 'after', 'twice'])
@pytest.mark.parametrize('kind, options, why', [
    ('compressed', ['--store', '-z', '6'], r'a second message inside the signature \(a packet of type 8\)'),
    ('literal', ['--store', '-z', '0'], r'a second message inside the signature \(a packet of type 11\)'),
    ('signed', ['--sign', '-z', '0', '-u', 'stranger@example.invalid'], r'a second message inside the signature \(a packet of type 4\)'),
])
def test_a_second_message_inside_the_armor_is_refused(tree, keys, tmp_path, kind, options, why, how):
    """gpgv fails at it, and calls the signature before it good."""
    signed = keys.sign(archives.release(), 'good')
    more = keys.gpg(*options, text=archives.release(b'forged'))
    refused(tree, keys, tmp_path, armored(signed, lambda sig: {
        'before': more + sig, 'after': sig + more, 'twice': sig + more + more}[how]), why)


@pytest.mark.parametrize('change, end, why', [
    (lambda sig: sig + b'\xff\xff', b'', r'something else inside the signature \(a packet of type 63\)'),
    (lambda sig: sig + b'\xfd\x03abc', b'', r'something else inside the signature \(a packet of type 61\)'),
    (lambda sig: sig + b'\xcd\x03abc', b'', r'something else inside the signature \(a packet of type 13\)'),
    (lambda sig: b'\xca\x03PGP' + sig, b'', r'something else inside the signature \(a packet of type 10\)'),
    (lambda sig: sig + b'abc', b'', 'junk inside the signature'),
    (lambda sig: sig + sig[:20], b'', 'a signature that is cut off'),
    (lambda sig: sig + b'\xc2', b'', 'a signature that is cut off'),
    (lambda sig: sig + b'\xc2\xc0', b'', 'a signature that is cut off'),
    (lambda sig: sig + b'\x8babc', b'', 'a signature of unknown length'),
    (lambda sig: sig + b'\xc2\xe1ab', b'', 'a signature of unknown length'),
    (lambda sig: sig, b'=\n', 'text inside the signature'),
    (lambda sig: sig, b'=AAAA\nSHA256\n', 'text inside the signature'),
    (lambda sig: sig, b'Comment: more\n', 'text inside the signature'),
    (lambda sig: sig, b'\nSHA256\n', 'text inside the signature'),
    (lambda sig: sig, b'SHA25\n', 'text inside the signature'),
    (lambda sig: b'', b'', 'no signature'),
], ids=range(16))
def test_armor_holds_signatures_and_nothing_else(tree, keys, tmp_path, change, end, why):
    refused(tree, keys, tmp_path, armored(keys.sign(archives.release(), 'good'), change, end), why)


@pytest.mark.parametrize('head', [
    lambda size: b'\x88' + size.to_bytes(1, 'big'), lambda size: b'\x89' + size.to_bytes(2, 'big'),
    lambda size: b'\x8a' + size.to_bytes(4, 'big'), lambda size: b'\xc2' + size.to_bytes(1, 'big'),
    lambda size: b'\xc2\xff' + size.to_bytes(4, 'big')])
def test_packets_of_each_form_of_length_are_signatures(tree, keys, tmp_path, head):
    """Each behind the one that gpg makes, and before it."""
    def again(sig):
        assert sig[0] == 0x88 and sig[1] == len(sig) - 2 < 192
        return sig + head(len(sig) - 2) + sig[2:] + sig
    done = verify(tree, keys, tmp_path, armored(keys.sign(archives.release(), 'good'), again))
    assert done.returncode == 0, done.stdout


def test_a_long_packet_is_a_signature(tree, keys, tmp_path):
    """One of two octets' length, as of an RSA key."""
    def longer(sig):
        assert sig[0] == 0x89
        size = len(sig) - 3 - 192
        return sig + b'\xc2' + bytes([192 + size // 256, size % 256]) + sig[3:] + sig
    signed = keys.sign(archives.release(), 'good', options=['--sig-notation', f'note@example.invalid={"x" * 300}'])
    done = verify(tree, keys, tmp_path, armored(signed, longer))
    assert done.returncode == 0, done.stdout


def test_a_further_signature_that_does_not_count_is_no_fault(tree, keys, tmp_path):
    """gpgv fails for it; an archive is signed by several keys, of which one may be new."""
    signed = keys.sign(archives.release(), 'good', 'stranger')
    (tmp_path / 'ring').write_bytes(keys.gpg('--export', keys.prints['good']))
    (tmp_path / 'InRelease').write_bytes(signed)
    done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', tmp_path / 'InRelease', tmp_path / 'out',
                        env=archives.environment(tmp_path, KEYRING=tmp_path / 'ring'))
    assert done.returncode == 0, done.stdout
    assert (tmp_path / 'out.signers').read_text().split() == [keys.prints['good']]


@pytest.mark.parametrize('line, ending, status, why', [
    ('PLAINTEXT 74 0 ', 'exit $status', 1, r'refused: gpgv finds a second text in it \(PLAINTEXT\)'),
    ('ERROR proc_pkt.plaintext 89_BAD_DATA', 'exit 2', 1, r'refused: gpgv cannot read all of it \(ERROR proc_pkt.plaintext\)'),
    ('NODATA 4', 'exit 2', 1, r'refused: gpgv finds something in it that is no signature \(NODATA\)'),
    ('UNEXPECTED 0', 'exit 2', 1, r'refused: gpgv finds something in it that does not belong there \(UNEXPECTED\)'),
    ('BADARMOR', 'exit 2', 1, r'refused: gpgv finds its armor damaged \(BADARMOR\)'),
    ('NODATA 4\n[GNUPG:] ERRSIG 1 22 8 01 0 9 -', 'exit 2', 1, r'refused: gpgv finds .*\(NODATA\)'),
    ('PROGRESS', 'exit 2', 1, r'refused: gpgv finds fault with it, and does not say what \(exit status 2\)'),
    ('PROGRESS', 'exit 1', 1, r'refused: gpgv finds fault with it, and does not say what \(exit status 1\)'),
    ('ERRSIG 1 22 8 01 0 9 -', 'exit 1', 1, r'refused: gpgv finds fault with it'),
    ('ERRSIG 1 22 8 01 0 9 -', 'exit 2', 0, '^$'),
    ('PROGRESS', 'exit 3', 2, 'gpgv ends with status 3'),
    ('PROGRESS', 'kill -9 $$', 2, 'gpgv ends with status 137'),
])
def test_gpgvs_own_failure_is_heard(tree, keys, tmp_path, line, ending, status, why):
    """The true gpgv, which finds the signature good, and then says more."""
    gpgv = tmp_path / 'bin/gpgv'
    gpgv.parent.mkdir()
    gpgv.write_text(f'#!/bin/bash\nPATH=/usr/bin:/bin\ngpgv "$@"\nstatus=$?\nprintf "%b\\n" {shlex.quote("[GNUPG:] " + line)} >&3\n{ending}\n')
    gpgv.chmod(0o755)
    (tmp_path / 'InRelease').write_bytes(keys.sign(archives.release(), 'good'))
    environment = archives.environment(tmp_path, KEYRING=keys.ring)
    environment['PATH'] = f'{gpgv.parent}:{environment["PATH"]}'
    done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', tmp_path / 'InRelease', tmp_path / 'out', env=environment)
    assert done.returncode == status and re.search(why, done.stdout), done.stdout
    assert (tmp_path / 'out').exists() == (status == 0)


def test_a_list_of_keys_that_cannot_be_read_is_not_the_sources(tree, keys, tmp_path):
    """Every source was one that no key of the list had signed."""
    (tmp_path / 'InRelease').write_bytes(keys.sign(archives.release(), 'good'))
    believed = tree / 'packages/keyring/fingerprints'
    believed.rename(tmp_path / 'away')
    try:
        done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', tmp_path / 'InRelease', tmp_path / 'out',
                            env=archives.environment(tmp_path, KEYRING=keys.ring))
    finally:
        (tmp_path / 'away').rename(believed)
    assert done.returncode == 2 and f'cannot read {believed}' in done.stdout and 'refused' not in done.stdout, done.stdout


def test_the_list_of_keys_is_read_once(tree, keys, tmp_path):
    """Two signatures; after the first look at the list there is another one."""
    believed = tree / 'packages/keyring/fingerprints'
    before = believed.read_text()
    sed = tmp_path / 'bin/sed'
    sed.parent.mkdir()
    sed.write_text(f'#!/bin/sh\n/usr/bin/sed "$@"\nstatus=$?\ncase "$*" in *{believed}*) : >{believed} ;; esac\nexit $status\n')
    sed.chmod(0o755)
    (tmp_path / 'InRelease').write_bytes(keys.sign(archives.release(), 'good', 'second'))
    environment = archives.environment(tmp_path, KEYRING=keys.ring)
    environment['PATH'] = f'{sed.parent}:{environment["PATH"]}'
    try:
        done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', tmp_path / 'InRelease', tmp_path / 'out', env=environment)
        assert believed.read_text() == ''
    finally:
        believed.write_text(before)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / 'out.signers').read_text().split() == sorted([keys.prints['good'], keys.prints['second']])


def test_a_full_disk_is_not_the_sources(tree, keys, tmp_path):
    """What could not be written down is no message, or one of nobody's."""
    df = tmp_path / 'bin/df'
    df.parent.mkdir()
    df.write_text('#!/bin/sh\nprintf "Avail Inodes IFree\\n0 100 100\\n"\n')
    df.chmod(0o755)
    (tmp_path / 'InRelease').write_bytes(keys.sign(archives.release(), 'stranger'))
    environment = archives.environment(tmp_path, KEYRING=keys.ring)
    environment['PATH'] = f'{df.parent}:{environment["PATH"]}'
    done = archives.run(tree / 'packages/lib/verified', 'trixie', '-', tmp_path / 'InRelease', tmp_path / 'out', env=environment)
    assert done.returncode == 2 and 'the disk that holds' in done.stdout, done.stdout


def test_message_in_a_form_that_hides_its_text_is_refused(tree, keys, tmp_path):
    signed = keys.gpg('--sign', '--armor', '-u', keys.prints['good'], text=archives.release())
    refused(tree, keys, tmp_path, signed, 'text before the signed message')
    signed = keys.gpg('--sign', '-u', keys.prints['good'], text=archives.release())
    refused(tree, keys, tmp_path, signed, 'text before the signed message|control character|NUL')


def test_stranger_is_refused_by_fingerprint(tree, keys, tmp_path):
    refused(tree, keys, tmp_path, keys.sign(archives.release(), 'stranger'),
            f'{keys.prints["stranger"]}, which is not in packages/keyring/fingerprints')


def test_revoked_key_is_refused_by_name(tree, keys, tmp_path, by_revoked):
    refused(tree, keys, tmp_path, by_revoked['revoked',], rf'{keys.prints["revoked"]} is revoked \(REVKEYSIG\)')


def test_a_good_signature_counts_beside_a_revoked_key(tree, keys, tmp_path, by_revoked):
    done = verify(tree, keys, tmp_path, by_revoked['good', 'revoked'])
    assert done.returncode == 0, done.stdout
    assert (tmp_path / 'out.signers').read_text().split() == [keys.prints['good']]


def test_expired_key_is_refused_by_name(tree, keys, tmp_path):
    signed = keys.sign(archives.release(), 'expired', options=['--faked-system-time', '20200115T000000!'])
    refused(tree, keys, tmp_path, signed, rf'{keys.prints["expired"]} has expired \(EXPKEYSIG\)')


def test_expired_signature_is_refused_by_name(tree, keys, tmp_path):
    signed = keys.sign(archives.release(), 'good', options=['--default-sig-expire', 'seconds=1'])
    subprocess.run(['sleep', '2'], check=True)
    refused(tree, keys, tmp_path, signed, rf'{keys.prints["good"]} has expired \(EXPSIG\)')


def test_weak_digest_is_refused_by_number(tree, keys, tmp_path):
    signed = keys.sign(archives.release(), 'good', options=['--allow-weak-digest-algos', '--digest-algo', 'SHA1'])
    refused(tree, keys, tmp_path, signed, r'over a weak digest \(number 2\)|no signature by')


@pytest.mark.parametrize('text, why', [
    (archives.release(codename='bookworm'), 'it is of the release bookworm, not trixie'),
    (archives.release().replace(b'Codename: trixie\n', b''), 'without a codename'),
    (archives.release(when='Wed, 31 Dec 2025 23:59:59 UTC'), "before the lock's, 20260101T000000Z"),
    (archives.release(when=archives.date(3 * 86400)), 'its Date is in the future'),
    (archives.release(when='some day'), 'Date is no date'),
    (archives.release(when=' '), 'it has no Date'),
    (archives.release(more=f'Valid-Until: {archives.date(-60)}\n'), 'its Valid-Until has passed'),
    (archives.release(more='Valid-Until: never\n'), 'Valid-Until is no date'),
    (archives.release(more='Codename: trixie\n'), 'a second field codename'),
    (archives.release(more='date: Wed, 31 Dec 2025 23:59:59 UTC\n'), 'a second field date'),
    (archives.release() + b'\nSHA256:\n x\n', 'more than one paragraph'),
    (b' leading\n' + archives.release() + b'odd line\n', 'a line that is no field'),
], ids=range(12))
def test_what_is_signed_must_be_todays_state_of_this_release(tree, keys, tmp_path, text, why):
    refused(tree, keys, tmp_path, keys.sign(text, 'good'), why)


def test_same_date_as_the_locks_is_not_older(tree, keys, tmp_path):
    signed = keys.sign(archives.release(when='Thu, 01 Jan 2026 00:00:00 UTC',
                                        more=f'Valid-Until: {archives.date(86400)}\n'), 'good')
    assert verify(tree, keys, tmp_path, signed).returncode == 0


def test_another_suite_is_asked_for_by_its_codename(tree, keys, tmp_path):
    """And by keys of its own: those of one suite do not count for the other."""
    signed = keys.sign(archives.release(codename='trixie-security'), 'good')
    refused(tree, keys, tmp_path, signed, 'of the release trixie-security, not trixie')
    believed = tree / 'packages/keyring/fingerprints.security'
    before = believed.read_text()
    refused(tree, keys, tmp_path, signed, 'which is not in packages/keyring/fingerprints.security', codename='trixie-security')
    believed.write_text(f'{keys.prints["good"]}  good\n')
    assert verify(tree, keys, tmp_path, signed, codename='trixie-security').returncode == 0
    believed.write_text(before)


def test_signed_files_are_read_in_one_place(top):
    """gpgv is run, and the name of a signed file is opened, by packages/lib/verified
    alone; packages/lock only fetches it, hashes it and hands it over."""
    found = subprocess.run(['git', 'grep', '--untracked', '-lE', r'^([^#]*[ |(])?gpgv? --|BEGIN PGP', '--', 'packages', 'image', 'hooks',
                            'reproducible', 'Makefile'], cwd=top, stdout=subprocess.PIPE, text=True).stdout.split()
    assert found == ['packages/lib/verified']
    lines = subprocess.run(['git', 'grep', '--untracked', '-hE', r'InRelease"', '--', 'packages', 'image', 'hooks', 'reproducible'],
                           cwd=top, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    allowed = re.compile(r'rm -f "\$at/InRelease"|get "\$archive" |"\$here/lib/verified" |sha256 "\$work/suites/\$1/InRelease"')
    assert lines and not [line for line in lines if not allowed.search(line)]


def forged_archive(folder, keys):
    """An archive whose InRelease has two lines of a stranger's in front of the
    signed text, and the debootstrap that they lead to."""
    root = folder / 'package'
    (root / 'DEBIAN').mkdir(parents=True)
    (root / 'usr/sbin').mkdir(parents=True)
    (root / 'DEBIAN/control').write_text('Package: debootstrap\nVersion: 1\nArchitecture: all\n'
                                         'Maintainer: nobody <nobody@example.invalid>\nDescription: forged\n')
    (root / 'usr/sbin/debootstrap').write_text(f'#!/bin/sh\nid >{folder}/owned\n')
    (root / 'usr/sbin/debootstrap').chmod(0o755)
    site = folder / 'site'
    (site / 'pool').mkdir(parents=True)
    deb = site / 'pool/forged.deb'
    subprocess.run(['dpkg-deb', '--root-owner-group', '--build', str(root), str(deb)], check=True,
                   stdout=subprocess.DEVNULL)
    text = (f'Package: debootstrap\nVersion: 1\nArchitecture: all\nFilename: pool/forged.deb\n'
            f'Size: {deb.stat().st_size}\nSHA256: {hashlib.sha256(deb.read_bytes()).hexdigest()}\n').encode()
    index = subprocess.run(['xz'], input=text, check=True, stdout=subprocess.PIPE).stdout
    here = site / 'dists/trixie/main/binary-amd64'
    here.mkdir(parents=True)
    (here / 'Packages.xz').write_bytes(index)
    lines = f'SHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} {archives.INDEX}\n'.encode()
    (site / 'dists/trixie/InRelease').write_bytes(lines + keys.sign(archives.release(b'the true index'), 'good'))
    return site


@pytest.mark.parametrize('command', [['packages/lock', 'made.lock'],
                                     ['image/build', '--profile', 'console', '--relock-if-gone']])
def test_lines_before_the_signed_text_lead_nowhere(tree, keys, tmp_path, command):
    """The attack, whole: a server on the way answers a forged InRelease.  It is
    asked for nothing more, and its debootstrap does not run; also where a locked
    package is gone, which starts a new resolution by itself."""
    with archives.serving(forged_archive(tmp_path, keys)) as server:
        done = archives.run(tree / command[0], *command[1:], cwd=tmp_path,
                            env=archives.environment(tmp_path, KEYRING=keys.ring, MIRROR=server.address))
        assert done.returncode == 1, done.stdout
        assert 'InRelease is refused: text before the signed message' in done.stdout
        assert not (tmp_path / 'owned').exists()
        assert '/dists/trixie/InRelease' in server.asked
        assert not [path for path in server.asked if 'forged' in path or 'Packages' in path]
        assert not (tmp_path / 'made.lock').exists()


@pytest.mark.parametrize('change, why', [
    (lambda index: index + b'x', 'has SHA-256|sends more than it should'),
    (lambda index: bytes([index[0] ^ 1]) + index[1:], 'the signed Release says'),
    (lambda index: b'', 'the signed Release says'),
])
def test_an_index_other_than_the_signed_one_is_refused(tree, keys, tmp_path, change, why):
    site = forged_archive(tmp_path, keys)
    index = (site / 'dists/trixie' / archives.INDEX).read_bytes()
    (site / 'dists/trixie/InRelease').write_bytes(keys.sign(archives.release(index), 'good'))
    (site / 'dists/trixie' / archives.INDEX).write_bytes(change(index))
    with archives.serving(site) as server:
        done = archives.run(tree / 'packages/lock', 'made.lock', cwd=tmp_path,
                            env=archives.environment(tmp_path, KEYRING=keys.ring, MIRROR=server.address))
        assert done.returncode == 1 and re.search(why, done.stdout), done.stdout
        assert not (tmp_path / 'owned').exists() and '/pool/forged.deb' not in server.asked


def test_a_package_other_than_the_signed_index_says_is_not_run(tree, keys, tmp_path):
    site = forged_archive(tmp_path, keys)
    index = (site / 'dists/trixie' / archives.INDEX).read_bytes()
    (site / 'dists/trixie/InRelease').write_bytes(keys.sign(archives.release(index), 'good'))
    with open(site / 'pool/forged.deb', 'r+b') as deb:
        deb.seek(-1, 2)
        deb.write(b'!')
    with archives.serving(site) as server:
        done = archives.run(tree / 'packages/lock', 'made.lock', cwd=tmp_path,
                            env=archives.environment(tmp_path, KEYRING=keys.ring, MIRROR=server.address))
        assert done.returncode == 1 and 'refused: debootstrap 1 from' in done.stdout, done.stdout
        assert not (tmp_path / 'owned').exists()
