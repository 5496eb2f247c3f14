# SPDX-License-Identifier: ISC
"""keymaster and what really is in the token: a key that could not be taken back, copies
of a key under other labels, halves that do not belong together, keys of another maker.
What is said of a key that is made, moved or destroyed is written down and signed by
witnesses, so it must hold."""
import re

import pytest

from cryptoki import edit
from tokens import PIN, SO_PIN, SOFTHSM, compile_faulty

EC = 'ECDSAP256SHA256'


@pytest.fixture(scope='module')
def faulty(tmp_path_factory):
    return compile_faulty(tmp_path_factory.mktemp('faulty'))


@pytest.fixture
def broken(hsm, faulty):
    """broken(FAULTY): the module has this fault, or none, from now on."""
    def configure(fault=''):
        (hsm.folder / 'calls').unlink(missing_ok=True)
        hsm.configure(hsm.module('soft', faulty, FAULTY_MODULE=SOFTHSM, FAULTY=fault,
                                 FAULTY_LOG=str(hsm.folder / 'calls')))
    return configure


def must(hsm, *words):
    done = hsm.run('keymaster', *words)
    assert done.status == 0, done.err + done.out
    return done.out


def keygen(hsm, label, *more, algorithm=EC):
    return must(hsm, 'keygen', '--algorithm', algorithm, '--label', label, *more)


def inventory(hsm):
    hsm.configure()
    return must(hsm, 'inventory')


KEPT = r'key k was made, could NOT be destroyed and may be in the token \(.*{}.*\): .*{}'


@pytest.mark.parametrize('fault, why, bad', [
    ('sign-wrong,keep-destroyed=0', 'the key is still there', 'does not verify its signature'),
    ('remove-at-sign=1', 'C_DestroyObject: CKR_DEVICE_REMOVED', 'C_Sign: CKR_DEVICE_REMOVED')])
def test_key_that_cannot_be_taken_back_is_said(hsm, broken, fault, why, bad):
    """Else a key that nobody knows of stays in the token, and the log says that it is gone."""
    broken(fault)
    done = hsm.run('keymaster', 'keygen', '--algorithm', EC, '--label', 'k')
    assert done.status == 4 and re.search(KEPT.format(why, bad), done.err), done.err
    assert 'destroyed again' not in done.err
    assert ' k ' in inventory(hsm)


def test_key_whose_making_was_cut_is_said(hsm, broken):
    """The connection goes just after the token has made the pair."""
    broken()
    keygen(hsm, 'first')
    calls = (hsm.folder / 'calls').read_text().split()
    broken(f'remove-at={calls.index("C_GenerateKeyPair") + 2}')
    done = hsm.run('keymaster', 'keygen', '--algorithm', EC, '--label', 'k')
    assert done.status == 4 and re.search(KEPT.format('C_DestroyObject', 'C_FindObjectsInit'), done.err), done.err
    assert ' k ' in inventory(hsm)


@pytest.mark.parametrize('command', [['keygen', '--algorithm', EC, '--label', 'k'], ['transport', '--label', 'k', '--output', 't.key']])
@pytest.mark.parametrize('fault, said', [('made-and-failed', 'is'), ('not-made', 'may be')])
def test_key_whose_making_failed_is_to_be_looked_for(hsm, broken, command, fault, said):
    """The token says that it made none: it may be wrong."""
    broken(fault)
    done = hsm.run('keymaster', *command)
    assert done.status == 4 and re.search(
        f'key k {said} in the token all the same: look there with keymaster inventory: .*C_GenerateKeyPair: CKR_DEVICE_ERROR',
        done.err), done.err
    assert (' k ' in inventory(hsm)) == (said == 'is')


@pytest.mark.parametrize('fault, bad', [('sign-wrong', 'does not verify'), ('attribute-bit=181', 'k: public key: ')])
def test_key_that_is_not_good_is_taken_back(hsm, broken, fault, bad):
    """It does not sign, or its point is none of the curve."""
    broken(fault)
    done = hsm.run('keymaster', 'keygen', '--algorithm', EC, '--label', 'k')
    assert done.status == 4 and re.search(f'destroyed again: .*{bad}', done.err), done.err
    assert 'no keys' in inventory(hsm)


@pytest.mark.parametrize('fault, gone', [('sign-wrong', True), ('sign-wrong,keep-destroyed=1', False),
                                         ('remove-at-sign=1', False), ('attribute-bit=181,keep-destroyed=0', False)])
def test_restored_key_that_cannot_be_taken_back_is_said(hsm, broken, fault, gone):
    keygen(hsm, 'k', '--extractable')
    must(hsm, 'transport', '--output', 't.key')
    must(hsm, 'backup', '--label', 'k', '--transport', 't.key', '--output', 'k.backup', '--force')
    must(hsm, 'keydelete', '--label', 'k', '--force')
    # The first to go is the wrapped secret, of the session only.
    broken(fault.replace('keep-destroyed=0', 'keep-destroyed=1'))
    done = hsm.run('keymaster', 'restore', '--input', 'k.backup')
    assert done.status == 4, done.err
    assert ('destroyed again: ' in done.err) == gone
    assert bool(re.search(KEPT.format('', ''), done.err)) != gone, done.err
    assert (' k ' in inventory(hsm)) != gone


COPY = "for one in s.find((LABEL, b'k')): s.copy(one, [(LABEL, b'twin')])"
RELABEL = "s.set(s.find((LABEL, b'k'), (CLASS, PRIVATE_KEY))[0], [(LABEL, b'hidden')])"
RENUMBER = "s.set(s.find((LABEL, b'k'), (CLASS, PRIVATE_KEY))[0], [(LABEL, b'hidden'), (ID, b'other')])"
PUBLIC_COPY = "s.copy(s.find((LABEL, b'k'), (CLASS, PUBLIC))[0], [(LABEL, b'')])"


@pytest.mark.parametrize('algorithm', [[EC], ['RSASHA256', '--size', '2048']], ids=['EC', 'RSA'])
@pytest.mark.parametrize('code, kind, left', [
    (COPY, '', 'twin (pair)'), (RELABEL, ', public half only', 'hidden (private half only)'),
    (RENUMBER, ', public half only', 'hidden (private half only)'),
    (PUBLIC_COPY, '', 'an object without a label (public half only)')],
    ids=['copy', 'relabelled', 'renumbered', 'public half'])
def test_same_key_under_another_label_is_named(hsm, algorithm, code, kind, left):
    """Who signs that a key is destroyed must not do so while it is there by another name."""
    keygen(hsm, 'k', *algorithm[1:], algorithm=algorithm[0])
    keygen(hsm, 'other', *algorithm[1:], algorithm=algorithm[0])
    edit(hsm, code)
    question = rf'Destroy the key k \([^()]*{kind}\) in token T1, serial \w+, which leaves the same key there as {re.escape(left)}'
    done = hsm.converse('keymaster', 'keydelete', '--label', 'k', answers=[('(y/N)? ', 'n')])
    assert done.status == 1 and re.search(question, ' '.join(done.out.split())), done.out
    done = hsm.run('keymaster', 'keydelete', '--label', 'k', '--force')
    assert done.status == 4 and re.search(rf'the key is NOT gone: token T1, serial \w+, has it as {re.escape(left)}\n', done.err)
    assert 'has no object of this key' not in done.out and re.search(question, done.out)
    assert ' other ' in inventory(hsm)


def test_other_key_of_the_same_id_is_not_this_key(hsm):
    """Tools give many keys one CKA_ID; what signs is told by its signature."""
    keygen(hsm, 'k')
    keygen(hsm, 'other')
    edit(hsm, "for one in s.find((CLASS, PRIVATE_KEY)): s.set(one, [(ID, b'1')])")
    out = must(hsm, 'keydelete', '--label', 'k', '--force')
    assert 'leaves the same key' not in out and 'has no object of this key any more' in out


def test_half_that_cannot_sign_is_told_by_its_id(hsm):
    keygen(hsm, 'k')
    edit(hsm, RELABEL + "\ns.set(s.find((LABEL, b'hidden'))[0], [(SIGN, False)])")
    done = hsm.run('keymaster', 'keydelete', '--label', 'k', '--force')
    assert done.status == 4 and 'has it as hidden (private half only)' in done.err


def test_more_objects_than_are_looked_at_is_an_error(hsm, broken):
    """A list that is cut looks whole, and a key could be beyond its end."""
    broken('objects=4097')
    done = hsm.run('keymaster', 'inventory')
    assert done.status == 4 and 'more than 4096 objects of one class' in done.err


TRANSPORT = '''s.generate(RSA_PAIR, [(TOKEN, True), (PRIVATE, False), (LABEL, b'transport'), (MODULUS_BITS, 3072),
    (EXPONENT, b'\\1\\0\\1'), (WRAP, True), (VERIFY, False)],
    [(TOKEN, True), (PRIVATE, True), (LABEL, b'transport'), (SENSITIVE, {}), (EXTRACTABLE, {}),
     (SIGN, False), (SIGN_RECOVER, {}), (DECRYPT, False), (UNWRAP, True)])
half = s.find((LABEL, b'transport'), (CLASS, PRIVATE_KEY))[0]
'''


@pytest.mark.parametrize('sensitive, extractable, recover, after, said', [
    (True, False, False, '', None), (False, False, False, '', 'CKA_SENSITIVE'),
    (False, False, False, 's.set(half, [(SENSITIVE, True)])', 'CKA_ALWAYS_SENSITIVE'),
    (True, True, False, '', 'kind, size and CKA_EXTRACTABLE'),
    (True, True, False, 's.set(half, [(EXTRACTABLE, False)])', 'CKA_NEVER_EXTRACTABLE'),
    (True, False, True, '', 'CKA_SIGN_RECOVER')])
def test_transport_key_was_never_readable(hsm, sensitive, extractable, recover, after, said):
    """Who made it may have kept its private half, and would open each backup in the clear."""
    edit(hsm, TRANSPORT.format(sensitive, extractable, recover) + after)
    done = hsm.run('keymaster', 'transport', '--output', 't.key')
    assert (done.status == 0) == (said is None) == (hsm.folder / 't.key').exists(), done.err
    if said:
        assert done.status == 4 and f'is no transport key (see {said})' in done.err


def test_attributes_that_a_token_does_not_know(hsm, broken):
    """Signing with recovery is an option; what tells where a private half has been is not."""
    broken('no-attribute=109')  # CKA_SIGN_RECOVER
    must(hsm, 'transport', '--label', 'short', '--output', 'short.key')
    broken()
    must(hsm, 'transport', '--output', 't.key')
    assert edit(hsm, "print(s.get(s.find((LABEL, b'transport'), (CLASS, PRIVATE_KEY))[0], SIGN_RECOVER))") == "b'\\x00'\n"
    for attribute, name in (('103', 'SENSITIVE'), ('163', 'LOCAL'), ('164', 'NEVER_EXTRACTABLE'),
                            ('165', 'ALWAYS_SENSITIVE')):
        broken(f'no-attribute={attribute}')
        done = hsm.run('keymaster', 'transport', '--output', 'other.key')
        assert done.status == 4 and f'(see CKA_{name})' in done.err


EXCHANGE = '''k, other = (s.find((LABEL, one), (CLASS, PUBLIC))[0] for one in (b'k', b'other'))
point = s.get(other, EC_POINT)
s.destroy(k)
s.create([(CLASS, PUBLIC), (KEY_TYPE, 3), (TOKEN, True), (PRIVATE, False), (LABEL, b'k'),
          (EC_PARAMS, P256), (EC_POINT, point), (VERIFY, True)])
'''


def test_private_half_beside_another_public_key(hsm):
    """SoftHSM's private objects on a curve show no point, so nothing but a signature tells."""
    for label in ('k', 'other'):
        keygen(hsm, label, '--extractable')
    must(hsm, 'transport', '--output', 't.key')
    edit(hsm, EXCHANGE)
    done = hsm.run('keymaster', 'backup', '--label', 'k', '--transport', 't.key', '--output', 'k.backup', '--force')
    assert done.status == 4 and 'key k does not verify its signature' in done.err
    assert 'SHA256 hash' not in done.out and not (hsm.folder / 'k.backup').exists()
    said = 'is not of the key shown, or cannot be proven to be: key k does not verify its signature'
    done = hsm.converse('keymaster', 'keydelete', '--label', 'k', answers=[('(y/N)? ', 'y')])
    shown = ' '.join(done.out.split())
    assert said in shown and shown.index(said) < shown.index('Destroy the key k'), done.out
    # The key shown is the other one, which is still there.
    assert done.status == 4 and 'the key is NOT gone' in shown and 'has it as other (pair)' in shown


def test_keydelete_says_what_cannot_be_proven(hsm):
    keygen(hsm, 'k')
    edit(hsm, "s.set(s.find((LABEL, b'k'), (CLASS, PRIVATE_KEY))[0], [(SIGN, False)])")
    done = hsm.run('keymaster', 'keydelete', '--label', 'k', '--force')
    assert done.status == 0 and 'cannot be proven to be: ' in done.err and 'NOT_PERMITTED' in done.err
    keygen(hsm, 'good')
    done = hsm.run('keymaster', 'keydelete', '--label', 'good', '--force')
    assert done.status == 0 and done.err == ''


NOTE = "s.create([(CLASS, DATA), (TOKEN, True), (PRIVATE, False), (LABEL, b'k'), (VALUE, b'note')])\n"
AES = '''s.create([(CLASS, SECRET), (KEY_TYPE, 0x1f), (TOKEN, True), (PRIVATE, True), (LABEL, b'k'),
          (SENSITIVE, True), (VALUE, b'0123456789abcdef')])'''


def test_other_objects_of_the_label_are_not_the_key(hsm, broken):
    """A note, which needs no PIN, or a secret key: what was destroyed is gone all the same."""
    edit(hsm, NOTE + AES)
    broken('sign-wrong')
    done = hsm.run('keymaster', 'keygen', '--algorithm', EC, '--label', 'k')
    assert done.status == 4 and 'destroyed again: ' in done.err, done.err
    broken()
    keygen(hsm, 'k')
    assert 'has no object of this key any more' in must(hsm, 'keydelete', '--label', 'k', '--force')


@pytest.mark.parametrize('words, status, said', [
    (['keygen'], 2, '--algorithm is required'),
    (['keygen', '--algorithm', 'RSASHA256'], 2, '--size is required'),
    (['keygen', '--algorithm', 'RSASHA256', '--size', '1024'], 2, '2048, 3072 or 4096 bits'),
    (['keygen', '--algorithm', 'ROT13'], 2, 'expected RSASHA256'),
    (['keygen', '--algorithm', EC, '--label', 'a\nb'], 2, '--label: expected'),
    (['keydelete'], 2, '--label is required'),
    (['csr', '--label', 'k'], 2, '--output is required'), (['csr', '--output', 'k'], 2, '--label is required'),
    (['transport'], 2, '--output is required'),
    (['transport', '--output', 't', '--label', 'ksk'], 2, 'this is the label of keys.ksk'),
    (['backup', '--label', 'k', '--output', 'k'], 2, '--transport is required'),
    (['backup', '--label', 'k', '--transport', 'k'], 2, '--output is required'),
    (['backup', '--label', 'k', '--transport', 'bad', '--output', 'k'], 3, 'bad'),
    (['backup', '--label', 'k', '--transport', 'none', '--output', 'k'], 3, 'none'),
    (['restore'], 2, '--input is required'), (['restore', '--input', 'bad'], 3, 'bad')])
def test_no_pin_for_a_command_that_cannot_be(hsm, faulty, words, status, said):
    """A PIN in the configuration may be an old one, and each login a try of it."""
    (hsm.folder / 'bad').write_text('nothing of ours\n')
    hsm.configure(hsm.module('soft', faulty, '000000', FAULTY_MODULE=SOFTHSM, FAULTY_LOG=str(hsm.folder / 'calls')),
                  rest="keys: {ksk: {label: ksk, algorithm: RSASHA256, valid_from: '2020-01-01T00:00:00Z'}}\n")
    done = hsm.run('keymaster', *words)
    assert done.status == status and said in done.err, done.err
    assert not (hsm.folder / 'calls').exists()


def test_label_is_shown_whole(hsm):
    """Two labels may differ in their last character alone, and the answer is for one."""
    long = 'x' * 127
    for end in '12':
        keygen(hsm, long + end)
    done = hsm.run('keymaster', 'keydelete', '--label', long + '2', '--force')
    assert done.status == 0 and f'Destroy the key {long}2 (P-256) in token T1' in done.out


@pytest.mark.parametrize('words', [
    ['keydelete', '--force'], ['csr', '--output', 'x'], ['backup', '--output', 'x', '--transport', 'y', '--force'],
    ['keygen', '--algorithm', EC], ['transport', '--output', 'x']])
def test_empty_label_means_nothing(hsm, words):
    """A key without a label was destroyed by it."""
    edit(hsm, "s.generate(EC_PAIR, [(TOKEN, True), (PRIVATE, False), (EC_PARAMS, P256)], [(TOKEN, True), (PRIVATE, True), (SIGN, True)])")
    done = hsm.run('keymaster', *words, '--label', '')
    assert done.status == 2 and '--label: ' in done.err, done.err
    assert '2 key objects have no label' in inventory(hsm)


def test_inventory_tells_halves(hsm):
    """A private key that shows its public half itself is no pair: the other object is gone."""
    for label in ('both', 'public', 'private'):
        keygen(hsm, label, '--size', '2048', algorithm='RSASHA256')
    edit(hsm, "s.destroy(s.find((LABEL, b'public'), (CLASS, PRIVATE_KEY))[0])\n"
         "s.destroy(s.find((LABEL, b'private'), (CLASS, PUBLIC))[0])")
    shown = re.findall(r'^  (\w+) +RSA 2048  tag \d{5}  (.{12}) not configured$', inventory(hsm), re.M)
    assert shown == [('both', 'pair        '), ('private', 'private only'), ('public', 'public only ')]
    for label, half in (('private', 'private'), ('public', 'public')):
        assert f'Destroy the key {label} (RSA 2048, {half} half only)' in must(hsm, 'keydelete', '--label', label, '--force')


@pytest.mark.parametrize('more, present', [([], PIN), (['--so'], SO_PIN)])
def test_pin_is_changed_at_the_pad(hsm, broken, more, present):
    """The program has no terminal here, and gives no PIN, be one configured or not."""
    hsm.env.update(FAULTY_PIN=present, FAULTY_NEW_PIN='777777')
    broken('pin-pad')
    out = must(hsm, 'changepin', *more)
    assert 'asks for the ' in out and 'itself: type them there' in out and 'is changed\n' in out
    hsm.configure(hsm.module(pin='777777'))
    must(hsm, 'inventory')


@pytest.mark.parametrize('fault, said', [('pin-final', '; one try is left'), ('pin-low', '')])
def test_changepin_says_how_many_tries_are_left(hsm, faulty, fault, said):
    hsm.configure(hsm.module('soft', faulty, None, FAULTY_MODULE=SOFTHSM, FAULTY=fault))
    done = hsm.converse('keymaster', 'changepin', answers=[
        ('PIN for', 'wrong'), ('new PIN for', '777777'), ('again, new PIN for', '777777')])
    assert done.status == 4 and f'C_SetPIN: CKR_PIN_INCORRECT (0xa0){said}\n' in done.out.replace('\n    ', ' '), done.out


@pytest.mark.parametrize('stated, said', [
    ('rsa_exponent: 3', 'has rsa_exponent 3, and a new key has 65537'),
    ('key_tag: 1', 'states the key_tag'), ('rsa_size: 4096', 'has rsa_size 4096'), ('rsa_exponent: 65537', None)])
def test_new_key_must_be_able_to_be_the_configured_one(hsm, stated, said):
    """Or there is a key under a label that every program refuses from then on."""
    hsm.configure(rest=f"keys: {{ksk: {{label: k, algorithm: RSASHA256, {stated}, valid_from: '2020-01-01T00:00:00Z'}}}}\n")
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'RSASHA256', '--size', '2048', '--label', 'k')
    if said:
        assert done.status == 1 and said in done.err, done.err
        assert 'no keys' in inventory(hsm)
    else:
        assert done.status == 0, done.err


def test_new_key_is_not_the_configured_public_key(hsm):
    public = re.search(r'DNSKEY 257 3 13 (\S+)', keygen(hsm, 'other')).group(1)
    hsm.configure(rest=f"keys: {{ksk: {{label: k, algorithm: {EC}, public_key: {public}, valid_from: '2020-01-01T00:00:00Z'}}}}\n")
    done = hsm.run('keymaster', 'keygen', '--algorithm', EC, '--label', 'k')
    assert done.status == 1 and 'keys.ksk states the public_key of this key' in done.err, done.err


def test_half_destroyed_is_said(hsm, broken):
    """The connection goes after the private half: that one is what mattered."""
    keygen(hsm, 'first')
    broken()
    must(hsm, 'keydelete', '--label', 'first', '--force')
    keygen(hsm, 'k')
    calls = (hsm.folder / 'calls').read_text().split()
    broken(f'remove-at={calls.index("C_DestroyObject") + 2}')
    done = hsm.run('keymaster', 'keydelete', '--label', 'k', '--force')
    assert done.status == 4 and 'the private half is destroyed, the public one is not: ' in done.err
    assert re.search(r'  k .* public only ', inventory(hsm))
