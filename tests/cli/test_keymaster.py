# SPDX-License-Identifier: ISC
"""keymaster on SoftHSM: keys of every kind are made, listed, certified, moved
to another token and destroyed; what is not clearly meant is refused; PINs are
asked without echo and never written down.  These are the acts that cannot be
undone, so each refusal is shown as well as each success."""
import re
import signal
import subprocess

import pytest

from cryptoki import run_label_token
from tokens import PIN, SO_PIN, SOFTHSM

ALGORITHMS = [('RSASHA256', '2048', 'RSA 2048', 8), ('RSASHA512', '3072', 'RSA 3072', 10),
              ('ECDSAP256SHA256', '256', 'P-256', 13), ('ECDSAP384SHA384', None, 'P-384', 14),
              ('ED25519', None, 'Ed25519', 15), ('ED448', '456', 'Ed448', 16)]


def keygen(hsm, label, algorithm='ECDSAP256SHA256', *more):
    done = hsm.run('keymaster', 'keygen', '--algorithm', algorithm, '--label', label, *more)
    assert done.status == 0, done.err
    return done.out


def verify_csr(hsm, name):
    return subprocess.run(['openssl', 'req', '-in', hsm.folder / name, '-verify', '-noout', '-subject', '-nameopt', 'oneline,space_eq'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize('algorithm, size, kind, number', ALGORITHMS)
def test_key_of_each_algorithm(hsm, algorithm, size, kind, number):
    """Made, listed with the same records, certified so that OpenSSL verifies it."""
    made = keygen(hsm, 'mine', algorithm, *(['--size', size] if size else []))
    assert f'made key mine, {kind}, which never leaves its token' in made
    records = [line for line in made.splitlines() if ' IN ' in line]
    assert f'. 172800 IN DNSKEY 257 3 {number} ' in records[0]
    hsm.configure(rest=f'keys: {{k: {{label: mine, algorithm: {algorithm}, '
                  "valid_from: '2020-01-01T00:00:00Z'}}\n")
    listed = hsm.run('keymaster', 'inventory', '--dns')
    assert listed.status == 0, listed.err
    assert [line for line in listed.out.splitlines() if ' IN ' in line] == records
    assert re.search(rf'^  mine +{kind} +tag \d{{5}}  pair +is keys.k$', listed.out, re.M)
    done = hsm.run('keymaster', 'csr', '--label', 'mine', '--output', 'mine.csr')
    assert done.status == 0, done.err
    checked = verify_csr(hsm, 'mine.csr')
    assert checked.returncode == 0, checked.stdout
    ds = re.search(r'IN (DS .*)$', records[1]).group(1)
    assert f'1.3.6.1.4.1.1000.53 = . IN {ds}' in checked.stdout


def shape(asn1):
    """Tags and object identifiers of openssl asn1parse, without lengths and values."""
    lines = []
    for line in asn1.splitlines():
        depth, kind, rest = re.match(r' *\d+:d=(\d+) .*?(?:prim|cons): (\S+(?: \S+)*?) *(:.*)?$', line).groups()
        lines.append((depth, kind, rest if kind.startswith('OBJECT') else ''))
    return lines


def test_csr_has_the_form_of_the_roots(hsm, data):
    """Field by field like the request for the root's key of 2010, and for its key the same names."""
    keygen(hsm, 'k', 'RSASHA256', '--size', '2048')
    done = hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'k.der', '--der', '--organization', 'ICANN',
                   '--unit', 'IANA', '--common-name', 'Root Zone KSK 2010-06-16T21:19:24+00:00')
    assert done.status == 0, done.err
    parsed = [subprocess.run(['openssl', 'asn1parse', '-inform', 'DER', '-in', path], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
              for path in (hsm.folder / 'k.der', data / 'production' / 'ksk-2010.csr')]
    assert shape(parsed[0]) == shape(parsed[1])
    assert 'PRINTABLESTRING   :Root Zone KSK 2010-06-16T21:19:24+00:00' in parsed[0]


def test_csr_keeps_what_was_there(hsm):
    keygen(hsm, 'k')
    (hsm.folder / 'k.csr').write_text('older')
    done = hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'k.csr', '--common-name', 'a_b é')
    assert done.status == 0, done.err
    assert 'the file that was there is kept as k.csr.old-1' in done.out
    assert (hsm.folder / 'k.csr.old-1').read_text() == 'older'
    assert verify_csr(hsm, 'k.csr').returncode == 0
    done = hsm.run('keymaster', 'csr', '--label', 'k', '--output', '/nonexistent/k.csr')
    assert done.status == 5 and 'cannot create' in done.err


def test_generated_label_is_the_time(hsm):
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519')
    assert done.status == 0
    assert re.search(r'^made key K[a-z2-7]{6}, Ed25519', done.out, re.M)


def test_inventory_says_what_is_wrong(hsm):
    keygen(hsm, 'wrong', 'RSASHA256', '--size', '2048')
    keygen(hsm, 'other')
    key = "label: wrong, algorithm: RSASHA256, valid_from: '2020-01-01T00:00:00Z'"
    for stated, said in [('ds_sha256: ' + '00' * 32, 'DS [0-9A-F]{64} is not the configured ds_sha256'),
                         ('key_tag: 1', 'is not the configured 00001'),
                         ('rsa_size: 4096', '2048 bits are not the configured 4096'),
                         ('rsa_exponent: 3', 'exponent 65537 is not the configured 3')]:
        hsm.configure(rest=f'keys: {{a: {{{key}, {stated}}}, b: {{{key.replace("wrong", "gone")}}}}}\n')
        done = hsm.run('keymaster', 'inventory')
        assert done.status == 0
        assert re.search(rf'^  wrong .* WRONG for keys.a: .*{said}$', done.out, re.M), done.out
        assert re.search(r'^  other +P-256 .* not configured$', done.out, re.M)
        assert 'keys.b (gone) is in no token' in done.out


def test_keydelete_asks(hsm):
    keygen(hsm, 'old')
    question = 'Destroy the key old (P-256) in token T1, serial '
    for answer in ('n', '', 'Y es', 'yes!'):
        done = hsm.converse('keymaster', 'keydelete', '--label', 'old', answers=[(question, answer)])
        assert done.status == 1 and 'refused by the operator' in done.out
    done = hsm.run('keymaster', 'keydelete', '--label', 'old')
    assert done.status == 1 and 'no terminal' in done.err
    assert ' old ' in hsm.run('keymaster', 'inventory').out
    done = hsm.converse('keymaster', 'keydelete', '--label', 'old', answers=[(question, 'y')])
    assert done.status == 0 and 'destroyed key old' in done.out
    assert 'no keys' in hsm.run('keymaster', 'inventory').out
    keygen(hsm, 'old')
    assert hsm.run('keymaster', 'keydelete', '--label', 'old', '--force').status == 0
    assert 'not asked (--force)' in hsm.logs('keymaster')
    done = hsm.run('keymaster', 'keydelete', '--label', 'old', '--force')
    assert done.status == 4 and 'no key is labelled old' in done.err


def backup(hsm, *more):
    return hsm.run('keymaster', 'backup', '--label', 'k', '--transport', 't.key', '--output', 'k.backup',
                   *more)


@pytest.mark.parametrize('algorithm, size', [('RSASHA256', '2048'), ('ECDSAP384SHA384', '384')])
def test_backup_and_restore(hsm, algorithm, size):
    """The key arrives in the other token whole, and both times the words are shown."""
    hsm.make_token('T2')
    on_t1, on_t2 = ['--token', 'T1'], ['--token', 'T2']
    made = keygen(hsm, 'k', algorithm, '--size', size, '--extractable', *on_t1)
    done = hsm.run('keymaster', 'transport', '--output', 't.key', *on_t2)
    assert done.status == 0, done.err
    words = re.search(r'^>> (.*) <<$', done.out, re.M).group(1)
    done = hsm.converse('keymaster', 'backup', '--label', 'k', '--transport', 't.key', '--output', 'k.backup',
                        answers=[('transport key was shown with (y/N)? ', 'y')])
    assert done.status == 0, done.out
    assert words in ' '.join(done.out.split())
    done = hsm.run('keymaster', 'restore', '--input', 'k.backup', *on_t2)
    assert done.status == 0, done.err
    assert 'restored key k, proven with a signature' in done.out
    records = [line for line in made.splitlines() if ' IN DNSKEY ' in line]
    assert [line for line in done.out.splitlines() if ' IN DNSKEY ' in line] == records
    done = hsm.run('keymaster', 'keydelete', '--label', 'k', '--force')
    assert done.status == 2 and '2 tokens have a key labelled k' in done.err
    assert hsm.run('keymaster', 'keydelete', '--label', 'k', '--force', *on_t1).status == 0
    assert verify_csr(hsm, 'none').returncode != 0
    assert hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'k.csr').status == 0
    assert verify_csr(hsm, 'k.csr').returncode == 0
    done = hsm.run('keymaster', 'restore', '--input', 'k.backup', *on_t2)
    assert done.status == 4 and 'there is a key labelled k already' in done.err


def test_backup_is_refused(hsm):
    """Not extractable; nobody compared; a transport file that is cut, changed or another's."""
    keygen(hsm, 'k')
    assert hsm.run('keymaster', 'transport', '--output', 't.key').status == 0
    done = backup(hsm, '--force')
    assert done.status == 4 and 'never leaves its token' in done.err
    done = backup(hsm)
    assert done.status == 1 and not (hsm.folder / 'k.backup').exists()
    text = (hsm.folder / 't.key').read_text()
    for changed in ['', text[:-1], text.replace('key 1', 'key 2'), text + 'x\n', text.replace('label', 'lable'),
                    text.replace('=\n', '\n'), text.replace('public-key: ', 'public-key: AwEAAQ==')]:
        assert changed != text
        (hsm.folder / 't.key').write_text(changed)
        done = backup(hsm, '--force')
        assert done.status in (3, 4) and done.err.startswith('keymaster: '), changed
        assert not (hsm.folder / 'k.backup').exists()
    # A short RSA key as transport key: as easy to break as it is short.
    keygen(hsm, 'short', 'RSASHA256', '--size', '2048')
    public = re.search(r'DNSKEY 257 3 8 (\S+)', hsm.run('keymaster', '--dns', 'inventory').out).group(1)
    (hsm.folder / 't.key').write_text(f'keyroom transport key 1\nlabel: x\npublic-key: {public}\n')
    keygen(hsm, 'e', 'ECDSAP256SHA256', '--extractable')
    done = hsm.run('keymaster', 'backup', '--label', 'e', '--transport', 't.key', '--output', 'e', '--force')
    assert done.status == 3 and '2048 bits, less than the 3072 required' in done.err


def test_restore_of_a_mixed_up_file_leaves_nothing(hsm):
    """A public key that is not the private one's: found out by a signature, and taken away again."""
    for label in ('k', 'other'):
        keygen(hsm, label, 'ECDSAP256SHA256', '--extractable')
    assert hsm.run('keymaster', 'transport', '--output', 't.key').status == 0
    assert backup(hsm, '--force').status == 0
    records = dict(re.findall(r'^  (\w+) .*\n\. 172800 IN DNSKEY 257 3 13 (\S+)$',
                              hsm.run('keymaster', 'inventory', '--dns').out, re.M))
    path = hsm.folder / 'k.backup'
    good = path.read_text()
    assert records['k'] in good
    assert hsm.run('keymaster', 'keydelete', '--label', 'k', '--force').status == 0
    for bad, status in [(good.replace(records['k'], records['other']), 4),
                        (good.replace('wrapped-key: ', 'wrapped-key: AAAA'), 4),
                        (good.replace('ECDSAP256SHA256', 'ED25519'), 4),
                        (good.replace('ECDSAP256SHA256', 'RSASHA1'), 3),
                        (good.replace('transport-label: transport', 'transport-label: other'), 4),
                        (good[:-20], 3)]:
        path.write_text(bad)
        done = hsm.run('keymaster', 'restore', '--input', 'k.backup')
        assert done.status == status, done.err
        assert not re.search(r'^  k ', hsm.run('keymaster', 'inventory').out, re.M)
    path.write_text(good)
    assert hsm.run('keymaster', 'restore', '--input', 'k.backup').status == 0


def test_changepin(hsm):
    hsm.configure(hsm.module(pin=None))
    questions = [('PIN for token T1 (SoftHSM v2, serial', PIN), ('new PIN for', '7654321'),
                 ('again, new PIN for', '7654321')]
    done = hsm.converse('keymaster', 'changepin', answers=questions)
    assert done.status == 0, done.out
    assert 'the PIN of token T1 is changed' in done.out
    # Nothing typed is on the screen or in a file.
    everything = done.out + hsm.logs('keymaster')
    assert PIN not in everything and '7654321' not in everything
    done = hsm.converse('keymaster', 'inventory', answers=[('PIN for', PIN)])
    assert done.status == 4 and 'CKR_PIN_INCORRECT' in done.out
    assert hsm.converse('keymaster', 'inventory', answers=[('PIN for', '7654321')]).status == 0
    done = hsm.converse('keymaster', 'changepin', answers=[
        ('PIN for', '7654321'), ('new PIN for', '1111111'), ('again, new PIN for', '1111112')])
    assert done.status == 1 and 'the two new PINs differ' in done.out
    done = hsm.converse('keymaster', 'changepin', '--so', answers=[
        ("security officer's PIN for", SO_PIN), ('new PIN for', PIN), ('again, new PIN for', PIN)])
    assert done.status == 0, done.out
    assert hsm.converse('keymaster', 'inventory', answers=[('PIN for', PIN)]).status == 0


def test_pin_prompt(hsm):
    """Empty, over-long, interrupted, and no terminal at all: one prompt, one attempt, a clean end."""
    hsm.configure(hsm.module(pin=None))
    done = hsm.run('keymaster', 'inventory')
    assert done.status == 2 and 'no terminal to ask for it' in done.err
    done = hsm.converse('keymaster', 'inventory', answers=[('PIN for', '')])
    assert done.status == 1 and 'no PIN was typed' in done.out
    done = hsm.converse('keymaster', 'inventory', answers=[('PIN for', 'x' * 300)])
    assert done.status == 1 and 'a PIN of more than 255' in done.out
    for number in (signal.SIGINT, signal.SIGTERM):
        done = hsm.converse('keymaster', 'inventory', answers=[('PIN for', None)], send_signal=number)
        assert done.status == 1 and f'stopped by signal {number.name}' in done.out
    done = hsm.converse('keymaster', 'inventory', answers=[('PIN for', 'wrong')])
    assert done.status == 4 and done.out.count('PIN for') == 1


def test_two_tokens_must_be_told_apart(hsm):
    hsm.make_token('T2')
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519')
    assert done.status == 2 and '2 tokens are there: choose one with --token LABEL' in done.err
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--token', 'T3')
    assert done.status == 4 and 'no token is labelled T3' in done.err
    keygen(hsm, 'k', 'ED25519', '--token', 'T2')
    # A second key of that name would be another key, whichever token it is in.
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--token', 'T1', '--label', 'k')
    assert done.status == 4 and 'there is a key labelled k already' in done.err


@pytest.mark.parametrize('label, shown', [
    (b'T\xff', 'T<ff>'), (b' T', '<20>T'), (b'T\x1b', 'T<1b>'), (b'\xff' * 32, '<ff>' * 32)])
def test_token_is_not_chosen_by_what_it_looks_like(hsm, label, shown):
    run_label_token(hsm, label)
    for name in ('T', 'T?', shown):
        done = hsm.run('keymaster', '--token', name, 'inventory')
        assert done.status == 4 and f'no token is labelled {name}' in done.err, done.out
    # The one of that name is not confused with it.
    hsm.make_token('T')
    done = hsm.run('keymaster', '--token', 'T', 'inventory')
    assert done.status == 0 and 'token T in slot' in done.out, done.err
    assert f'Label:           {shown}\n' in hsm.logs('keymaster')


@pytest.mark.parametrize('label', [b'T\0\0', b'T' + b'\0' * 31, b'T  \0', 'T\u00e9'.encode(), b'T' * 32])
def test_token_is_chosen_byte_by_byte(hsm, label):
    """But for what stands behind it: some modules end a label with NUL."""
    run_label_token(hsm, label)
    done = hsm.run('keymaster', '--token', label.decode().rstrip('\0 '), 'inventory')
    assert 'no token is labelled' not in done.err
    assert 'C_Login' in done.err or 'user' in done.err.lower(), done.err


def test_inventory_of_one_token(hsm):
    """A token that is not logged in to shows no private keys: to list it would say that they are lost."""
    hsm.make_token('T2')
    keygen(hsm, 'k', 'ED25519', '--token', 'T1')
    keygen(hsm, 'l', 'ED25519', '--token', 'T2')
    assert hsm.run('keymaster', 'inventory').out.count(' pair ') == 2
    listed = hsm.run('keymaster', 'inventory', '--token', 'T2')
    assert listed.status == 0 and 'token T2 in slot' in listed.out and 'token T1 in slot' not in listed.out
    assert listed.out.count(' pair ') == 1 and 'public only' not in listed.out


def test_pin_is_not_tried_on_another_token(hsm):
    """With --token the configured PIN goes to that token alone: no try of another's is spent."""
    hsm.make_token('T2', pin='777777')
    done = hsm.run('keymaster', 'inventory')
    assert done.status == 4 and '(T2): C_Login: CKR_PIN_INCORRECT' in done.err
    keygen(hsm, 'k', 'ED25519', '--token', 'T1')
    hsm.configure(hsm.module(pin='777777'))
    keygen(hsm, 'l', 'ED25519', '--token', 'T2')


@pytest.mark.parametrize('words, said', [
    ([], 'no command'), (['keygrow'], 'unknown command keygrow'), (['inventory', 'x'], 'one command, not x'),
    (['inventory', '--force'], '--force does not go with inventory'),
    (['keygen'], '--algorithm is required'), (['keygen', '--algorithm', 'RSASHA256'], '--size is required'),
    (['keygen', '--algorithm', 'RSASHA1', '--size', '2048'], 'expected RSASHA256'),
    (['keygen', '--algorithm', 'RSASHA256', '--size', '1024'], '2048, 3072 or 4096 bits, not 1024'),
    (['keygen', '--algorithm', 'RSASHA256', '--size', 'big'], '--size: '),
    (['keygen', '--algorithm', 'ED25519', '--size', '512'], 'ED25519 has 256 bits, not 512'),
    (['keygen', '--alg', 'ED25519'], 'unknown option --alg'),
    (['inventory', '--hsm', 'soft', '--hsm', 'soft'], '--hsm is given twice'),
    (['inventory', '--hsm', 'hard'], 'no hsm hard'), (['inventory', '--config', 'none.yaml'], 'none.yaml'),
    (['keydelete'], '--label is required'), (['csr', '--label', 'x'], '--output is required'),
    (['restore'], '--input is required'), (['backup', '--label', 'x'], '--transport is required')])
def test_usage(hsm, words, said):
    done = hsm.run('keymaster', *words)
    assert done.status == 2
    assert said in done.err


def test_log(hsm):
    """Who, what, with which program and configuration; and the screen's lines with a time."""
    done = hsm.run('keymaster', 'inventory', '--log_dir', '.')
    log = hsm.logs('keymaster')
    assert re.match(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: \[INFO\] keymaster ', log)
    for line in ('arguments: ', 'SHA-256 of the program: ', 'configuration ksrsigner.yaml SHA-256 ',
                 'HSM Information:', '    Label:           T1', '    ManufacturerID:  SoftHSM project'):
        assert line in log
    for line in done.out.splitlines():
        assert f'[INFO] {line}\n' in log
    assert PIN not in log
    done = hsm.run('keymaster', 'inventory', '--log-dir', '/nonexistent')
    assert done.status == 5 and 'cannot create the log' in done.err


def plant(hsm, label, token):
    """A public key of somebody else's, put into a token without a PIN."""
    for command in (['genrsa', '-out', 'own.pem', '3072'],
                    ['rsa', '-in', 'own.pem', '-pubout', '-outform', 'DER', '-out', 'own.der']):
        subprocess.run(['openssl', *command], cwd=hsm.folder, check=True, capture_output=True)
    subprocess.run(['pkcs11-tool', '--module', SOFTHSM, '--token-label', token, '--write-object', 'own.der',
                    '--type', 'pubkey', '--label', label], cwd=hsm.folder, check=True, capture_output=True, env=hsm.env)


@pytest.mark.parametrize('beside', [False, True], ids=['alone', 'beside a private key'])
def test_planted_public_key_is_no_transport_key(hsm, beside):
    """Else its owner could read every backup that is made for it, and the words would agree."""
    if beside:
        made = hsm.run('keymaster', 'transport', '--output', 'good.key')
        assert made.status == 0, made.err
        subprocess.run(['pkcs11-tool', '--module', SOFTHSM, '--token-label', 'T1', '--login', '--pin', PIN,
                        '--delete-object', '--type', 'pubkey', '--label', 'transport'],
                       check=True, capture_output=True, env=hsm.env)
    plant(hsm, 'transport', 'T1')
    done = hsm.run('keymaster', 'transport', '--output', 't.key')
    said = 'the public and the private key do not belong together' if beside else 'is no transport key'
    assert done.status == 4 and said in done.err, done.err
    assert not (hsm.folder / 't.key').exists()


def test_key_that_signs_is_no_transport_key(hsm):
    keygen(hsm, 'big', 'RSASHA256', '--size', '4096')
    done = hsm.run('keymaster', 'transport', '--label', 'big', '--output', 't.key')
    assert done.status == 4 and 'can only unwrap' in done.err and not (hsm.folder / 't.key').exists()


def test_algorithm_of_a_key_that_is_not_configured(hsm):
    """RSA is for one of two; which, decides tag and DS."""
    ds = re.search(r' IN (DS .*)', keygen(hsm, 'k', 'RSASHA512', '--size', '2048')).group(1)
    guessed = hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'a.csr')
    assert guessed.status == 0 and 'taken to be for RSASHA256' in guessed.err and ds not in verify_csr(hsm, 'a.csr').stdout
    told = hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'b.csr', '--algorithm', 'RSASHA512')
    assert told.status == 0 and 'taken to be' not in told.err and ds in verify_csr(hsm, 'b.csr').stdout
    for wrong in ('ED25519', 'RSASHA1', 'nothing'):
        assert hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'c.csr', '--algorithm', wrong).status == 2
    hsm.configure(rest="keys: {k: {label: k, algorithm: RSASHA512, valid_from: '2020-01-01T00:00:00Z'}}\n")
    known = hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'd.csr')
    assert known.status == 0 and known.err == '' and ds in verify_csr(hsm, 'd.csr').stdout
    assert hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'e.csr', '--algorithm', 'RSASHA256').status == 2


def test_question_shows_what_a_label_holds(hsm):
    """A label cannot repaint what the operator answers to."""
    label = 'lab\x1b[31mX'
    subprocess.run(['pkcs11-tool', '--module', SOFTHSM, '--token-label', 'T1', '--login', '--pin', PIN, '--keypairgen',
                    '--key-type', 'EC:prime256v1', '--label', label], check=True, capture_output=True, env=hsm.env)
    done = hsm.converse('keymaster', 'keydelete', '--label', label, answers=[('(y/N)? ', 'n')])
    assert done.status == 1 and 'Destroy the key lab<1b>[31mX' in done.out and '\x1b' not in done.out


def test_default_common_name_of_a_long_zone(hsm):
    """No more than --common-name may have; then it must be given."""
    keygen(hsm, 'k')
    fits = 'x' * 28 + '.'  # and " Zone KSK ", and 25 for the time
    for zone, status in ((fits, 0), ('x' + fits, 2)):
        hsm.configure(rest=f'ksk_policy: {{signers_name: {zone}}}\n')
        done = hsm.run('keymaster', 'csr', '--label', 'k', '--output', f'{status}.csr')
        assert done.status == status, done
    assert '--common-name is required' in done.err and not (hsm.folder / '2.csr').exists()
    done = hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'k.csr', '--common-name', 'long')
    assert done.status == 0 and 'CN = long' in verify_csr(hsm, 'k.csr').stdout


@pytest.mark.parametrize('text', ['', 'a\nb', '\x1b[2J', 'x' * 65, b'\xff', '\x85'])
def test_names_that_are_none(hsm, text):
    keygen(hsm, 'k')
    label = text * 2 if len(text) > 64 else text  # 128 are allowed there
    assert hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--label', label).status == 2
    assert hsm.run('keymaster', 'transport', '--output', 't.key', '--label', label).status == 2
    for option in ('--organization', '--unit', '--common-name'):
        done = hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'k.csr', option, text)
        assert done.status == 2 and f'{option}: expected 1 to 64 characters' in done.err


def rows(text, columns=80):
    """What a terminal of so many columns makes of it."""
    return [line[i:i + columns] for line in text.splitlines() for i in range(0, len(line), columns)]


def test_question_begins_no_row_of_the_screen(hsm):
    """Nor does a label there, wherever the row ends."""
    label = 'x' * 64 + 'PASS KSK-IDENTITY all keys'
    keygen(hsm, label)
    before = len('Destroy the key ') + 64
    for columns in range(before - 2, before + 3):
        done = hsm.converse('keymaster', 'keydelete', '--label', label, answers=[('(y/N)? ', 'n')], columns=columns)
        shown = rows(done.out, columns)
        assert done.status == 1 and 'xxPASS' in ''.join(row.strip() for row in shown)
        assert not any(row.startswith('PASS') for row in shown), done.out


def test_prompt_begins_no_row_of_the_screen(hsm):
    """The label is the token's own word."""
    hsm.configure(hsm.module(pin=None))
    label = 'xxxxxxxxPASS KSK-IDENTITY'
    hsm.make_token(label)
    before = len('PIN for token ') + 8
    for columns in range(before - 1, before + 2):
        done = hsm.converse('keymaster', '--token', label, 'inventory', answers=[('):', PIN)], columns=columns)
        assert done.status == 0 and not any(row.startswith('PASS') for row in rows(done.out, columns)), done.out
