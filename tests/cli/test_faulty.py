# SPDX-License-Identifier: ISC
"""ksrsigner and keymaster with an HSM that misbehaves (tests/faulty), with a
wrong or missing key, a wrong or locked PIN, and with two HSMs at once.  A
ceremony must end either with a response that is right or with a plain message,
the right exit status, everything as it was before, and the module properly
closed; a PIN that is about to be locked must not be spent by a program."""
import re
import shutil

import pytest

from tokens import PIN, SO_PIN, SOFTHSM, Hsm, compile_faulty

KSR = 'ksr-root-2009-q4-2.xml'


@pytest.fixture(scope='module')
def faulty(tmp_path_factory):
    return compile_faulty(tmp_path_factory.mktemp('faulty'))


def policy(data):
    """The reference configuration without its section hsm."""
    text = (data / 'config' / '2009-q4-2.yaml').read_text()
    return text[text.index('keys:\n'):]


@pytest.fixture
def hsm(softhsm, tmp_path, data):
    """A token with KSK1 and KSK2, a request, and a response that is there already."""
    shutil.copy(data / 'test-quarters' / KSR, tmp_path / 'ksr.xml')
    (tmp_path / 'skr.xml').write_text('what was there before')
    return softhsm


@pytest.fixture
def broken(hsm, data, faulty):
    """broken(FAULTY): ksrsigner signs with a module that has this fault."""
    def configure(fault, pin=PIN):
        hsm.configure(hsm.module('broken', faulty, pin, FAULTY_MODULE=SOFTHSM, FAULTY=fault,
                                 FAULTY_LOG=str(hsm.folder / 'calls')), rest=policy(data))
    return configure


def sign(hsm, *words):
    return hsm.run('ksrsigner', '--no-previous-skr', 'first quarter', '--force', *words, 'ksr.xml', 'skr.xml')


# What a module answers out of itself.
INSTANT = {'C_GetFunctionList', 'C_GetInfo'}


def calls(hsm):
    path = hsm.folder / 'calls'
    return path.read_text().split() if path.exists() else []


def assert_refused(hsm, before, done, status, said):
    assert done.status == status, (done.out, done.err)
    assert re.search(said, done.err), done.err
    assert '\033' not in done.err + done.out
    assert hsm.files() == before
    # The log has the reason, too, and no PIN.
    log = hsm.logs('ksrsigner')
    assert re.search(r'\[ERROR\].*', log) and PIN not in log


def assert_closed(hsm):
    """Sessions closed, then the module finalised, and nothing after."""
    assert calls(hsm)[-1] == 'C_Finalize', calls(hsm)
    if 'C_OpenSession' in calls(hsm)[:-2]:  # as the last one before the end it failed
        assert 'C_CloseAllSessions' in calls(hsm)


def test_without_a_fault_it_signs(hsm, broken, data):
    """The module by itself changes nothing, so what follows is the fault's doing."""
    broken('')
    done = sign(hsm)
    assert done.status == 0, done.err
    made = (hsm.folder / 'skr.xml').read_text()
    published = (data / 'test-quarters' / KSR.replace('ksr', 'skr', 1)).read_text()
    signatures = re.compile('<SignatureData>(.*?)</SignatureData>')
    assert signatures.findall(made) == signatures.findall(published)
    assert calls(hsm).count('C_Sign') == 6
    assert_closed(hsm)


@pytest.mark.parametrize('fault, status, said', [
    ('attribute-length=4097', 4, r'4097 bytes'),
    ('attribute-length=1000000000', 4, r'1000000000 bytes'),
    ('attribute-length=-1', 4, r'18446744073709551615 bytes'),
    ('attribute-length=0', 4, r'0 bytes'),
    ('attribute-length=1', 4, r'1 bytes'),
    ('attribute-short', 4, r'7 bytes, not 8'),
    ('attribute-unsteady', 4, r'1008 bytes, not 8'),
    ('attribute-bit=120', 1, r'KSK-IDENTITY|DS '),  # CKA_MODULUS: another key
    ('sign-length=-1', 4, r'C_Sign: a signature of 18446744073709551615 bytes with KSK1, which makes 256'),
    ('sign-length=100000', 4, r'a signature of 100000 bytes'),
    ('sign-length=0', 4, r'a signature of 0 bytes'),
    ('sign-short', 4, r'a signature of 255 bytes with KSK1, which makes 256'),
    ('sign-wrong', 4, r'KSK1'),
    ('sign-wrong-at=6', 4, r'KSK1'),
    ('objects=3', 4, r'C_FindObjects: CKR_GENERAL_ERROR'),
    ('objects=-1', 4, r'C_FindObjects: CKR_GENERAL_ERROR'),
    ('duplicate', 1, r'KSK-IDENTITY: key KSK1: .*two public keys are labelled KSK1'),
    ('slots=65', 4, r'C_GetSlotList: says 65 slots'),
    ('slots=-1', 4, r'C_GetSlotList: says 18446744073709551615 slots'),
    ('slots=0', 4, r'no initialised token'),
    ('no-mechanism=1', 1, r'KSK-IDENTITY: key KSK1: .*does not have the mechanism CKM_RSA_PKCS \(0x1\)'),
    ('no-sign-function', 4, r'lacks functions of PKCS#11'),
    ('remove-at-sign=1', 4, r'C_Sign: CKR_DEVICE_REMOVED \(0x32\)'),
    ('remove-at-sign=6', 4, r'C_Sign: CKR_DEVICE_REMOVED'),
])
def test_fault_ends_the_run(hsm, broken, fault, status, said):
    broken(fault)
    before = hsm.files()
    done = sign(hsm)
    assert_refused(hsm, before, done, status, said)
    if fault != 'no-sign-function':  # then nothing was started
        assert_closed(hsm)


def test_device_removed_at_any_call(hsm, broken):
    """From the first call to the last: the same end, whatever it was doing."""
    broken('')
    assert sign(hsm).status == 0
    whole = calls(hsm)
    first_close = whole.index('C_Logout')
    (hsm.folder / 'skr.xml').write_text('what was there before')
    for path in hsm.folder.glob('skr.xml.old-*'):
        path.unlink()
    # All kinds of calls, but not each of the many alike.
    steps = sorted({whole.index(name) + 1 for name in whole[:first_close]} | {first_close})
    assert len(steps) > 6
    for step in steps:
        (hsm.folder / 'calls').unlink()
        broken(f'remove-at={step}')
        before = hsm.files()
        done = sign(hsm)
        assert_refused(hsm, before, done, 4, 'CKR_DEVICE_REMOVED')
        assert whole[step - 1] in done.err
        if whole[step - 1] != 'C_Initialize':
            assert_closed(hsm)
    # Gone while it is being closed: the response is complete by then.
    (hsm.folder / 'calls').unlink()
    broken(f'remove-at={first_close + 1}')
    assert sign(hsm).status == 0


def test_signal_while_signing(hsm, broken):
    """SIGTERM in the middle: the signature in hand is finished, then an orderly end."""
    broken('signal-at-sign=3')
    before = hsm.files()
    done = sign(hsm)
    assert_refused(hsm, before, done, 1, 'stopped by signal SIGTERM')
    assert calls(hsm).count('C_Sign') == 3
    assert_closed(hsm)


def test_locked_pin_is_not_tried(hsm, broken):
    broken('pin-locked')
    before = hsm.files()
    assert_refused(hsm, before, sign(hsm), 4, 'the PIN is locked')
    assert 'C_Login' not in calls(hsm)
    # Typed by a person it is not tried either.
    broken('pin-locked', pin=None)
    done = hsm.converse('keymaster', 'inventory')
    assert done.status == 4 and 'the PIN is locked' in done.out
    assert 'C_Login' not in calls(hsm)


def test_final_try_is_a_persons(hsm, broken):
    """A configured PIN is not spent on the last try; a person is told and may."""
    broken('pin-final')
    before = hsm.files()
    assert_refused(hsm, before, sign(hsm), 4, 'one try is left')
    assert 'C_Login' not in calls(hsm)
    broken('pin-final', pin=None)
    done = hsm.converse('keymaster', 'inventory', answers=[('LAST TRY, a wrong PIN locks the token!\n'.strip(), PIN)])
    assert done.status == 0, done.out
    assert calls(hsm).count('C_Login') == 1
    broken('pin-low', pin=None)
    done = hsm.converse('keymaster', 'inventory', answers=[('a wrong PIN was typed before', PIN)])
    assert done.status == 0, done.out


def test_changepin_does_not_spend_a_configured_pin_on_the_last_try(hsm, broken):
    """The one in the file may be an old one: a person is told, and types."""
    broken('pin-final', pin='000000')
    done = hsm.run('keymaster', 'changepin')
    assert done.status == 2 and 'C_SetPIN' not in calls(hsm)
    done = hsm.converse('keymaster', 'changepin', answers=[
        ('LAST TRY, a wrong PIN locks the token!', PIN), ('new PIN for', '777777'), ('again, new PIN for', '777777')])
    assert done.status == 0, done.out
    assert '000000' not in done.out


def test_nothing_is_signed_after_a_wrong_signature(hsm, broken):
    broken('sign-wrong-at=2')
    assert sign(hsm).status == 4
    assert calls(hsm).count('C_Sign') == 2


def test_wrong_pin_is_tried_once(hsm, broken):
    broken('', pin='000000')
    before = hsm.files()
    done = sign(hsm)
    assert_refused(hsm, before, done, 4, r'C_Login: CKR_PIN_INCORRECT \(0xa0\)')
    assert calls(hsm).count('C_Login') == 1
    assert '000000' not in hsm.logs('ksrsigner') + done.err
    assert_closed(hsm)


def test_hostile_token_label_is_tamed(hsm, broken):
    broken('hostile-label')
    done = sign(hsm)
    assert done.status == 0, done.err
    assert '\033' not in done.out + done.err + hsm.logs('ksrsigner')
    assert '<1b>[2Jevil<0a>' in hsm.logs('ksrsigner')


def test_label_does_not_end_at_a_nul(hsm, broken):
    """It was chosen as "test"; SoftHSM itself gives no more than that."""
    broken('nul-label')
    for name in ('test', 'test?evil', 'test<00>evil'):
        done = hsm.run('keymaster', '--token', name, 'inventory')
        assert done.status == 4 and f'no token is labelled {name}' in done.err, done.out
    done = hsm.run('keymaster', 'inventory')
    assert done.status == 0 and 'token test<00>evil in slot' in done.out, done.err


def test_serial_is_compared_byte_by_byte(hsm, broken):
    broken('strange-serial')
    for serial in ('??-44', '<c3><a9>-44', '\u00e9-4', '\u00e9-44 '):
        done = hsm.run('keymaster', '--serial', serial, 'inventory')
        assert done.status == 4 and 'no token is with serial' in done.err, done.out
    done = hsm.run('keymaster', '--serial', '\u00e9-44', 'inventory')
    assert done.status == 0, done.err
    assert 'Serial:          <c3><a9>-44\n' in hsm.logs('keymaster')


def test_inventory_survives_what_it_is_for(hsm, broken):
    """Duplicate labels are said, key by key, and the rest is still listed."""
    broken('duplicate')
    done = hsm.run('keymaster', 'inventory')
    assert done.status == 0
    assert done.out.count('UNUSABLE: ') == 2
    broken('attribute-length=-1')
    done = hsm.run('keymaster', 'inventory')
    assert done.status == 4 and done.err.startswith('keymaster: hsm broken: ')
    # Gone at any moment: never a list that looks complete.
    (hsm.folder / 'calls').unlink()
    broken('')
    assert hsm.run('keymaster', 'inventory').status == 0
    for step in range(1, calls(hsm).index('C_Logout') + 1):
        broken(f'remove-at={step}')
        done = hsm.run('keymaster', 'inventory')
        assert done.status == 4 and 'CKR_DEVICE_REMOVED' in done.err


def test_ed448_with_parameters(hsm, broken):
    """Modules of PKCS#11 v3.0 want parameters for Ed448; for Ed25519 none may be added."""
    broken('eddsa-params')
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED448', '--label', 'new')
    assert done.status == 0, done.err
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--label', 'newer')
    assert done.status == 4 and 'CKR_MECHANISM_PARAM_INVALID' in done.err


@pytest.mark.parametrize('fault, algorithm', [
    ('curve-name', 'ED25519'), ('point-bare', 'ED25519'), ('point-bits', 'ED448'),
    ('point-bare', 'ECDSAP256SHA256'), ('point-bare', 'ECDSAP384SHA384')])
def test_other_ways_to_write_a_point(hsm, broken, fault, algorithm):
    """Modules of other ages: the key is the same, whichever way its curve and point are written."""
    broken(fault)
    done = hsm.run('keymaster', 'keygen', '--algorithm', algorithm, '--label', 'new')
    assert done.status == 0, done.err
    written = [line for line in done.out.splitlines() if ' IN DS ' in line]
    broken('')
    assert written[0] in hsm.run('keymaster', 'inventory', '--dns').out


@pytest.mark.parametrize('fault', ['attribute-short', 'attribute-length=34', 'attribute-bit=181'])
def test_wrong_point_is_no_key(hsm, broken, data, fault):
    """P-256 with a point that is cut, of another curve's length, or has a flipped bit."""
    hsm.import_key(data / 'keys' / 'EC1.der', 'EC1', number='07')
    broken(fault)
    done = hsm.run('keymaster', '--dns', 'inventory')
    assert done.status in (0, 4)
    assert ' 9144 13 2 ' not in done.out
    broken('')
    # The tag that an implementation gets right which takes off the 0x04 (RFC 6605).
    assert ' 9144 13 2 A5950C71A9283712C5C9059FD69EB75A38E02A2D49BEA5266B7B09AA959DD7B6' in hsm.run(
        'keymaster', '--dns', 'inventory').out


def test_token_without_public_objects_signs(hsm, broken):
    """Some tokens keep the private object alone; it shows the public key, too."""
    broken('no-public')
    done = sign(hsm)
    assert done.status == 0, done.err


def test_public_key_alone_does_not_sign(hsm, broken):
    broken('no-private')
    before = hsm.files()
    assert_refused(hsm, before, sign(hsm), 1, 'KSK-IDENTITY: key KSK1: .*no private key labelled KSK1')
    assert 'public only' in hsm.run('keymaster', 'inventory').out
    done = hsm.run('keymaster', 'csr', '--label', 'KSK1', '--output', 'x.csr')
    assert done.status == 4


def test_pin_is_typed_at_the_token(hsm, broken, monkeypatch):
    """Cards and PIN pads: the program neither asks nor sends a PIN, configured or not."""
    hsm.env['FAULTY_PIN'] = PIN
    broken('pin-pad', pin='000000')
    done = sign(hsm)
    assert done.status == 0, done.err
    broken('no-user-pin')
    before = hsm.files()
    assert_refused(hsm, before, sign(hsm), 4, 'no user PIN yet')


def test_wrong_signature_makes_no_csr(hsm, broken):
    broken('sign-wrong')
    done = hsm.run('keymaster', 'csr', '--label', 'KSK1', '--output', 'out.csr')
    assert done.status == 4 and not (hsm.folder / 'out.csr').exists()
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--label', 'new')
    assert done.status == 4 and 'new does not verify its signature' in done.err


@pytest.mark.parametrize('change, status, said', [
    (('label: KSK1', 'label: KSK7'), 1, 'FAIL KSK-IDENTITY'),
    (('F40FACFD24EB', '000000000000'), 1, 'KSK-IDENTITY'),
    (('key_tag: 5017', 'key_tag: 5018'), 1, 'KSK-IDENTITY'),
    (('label: KSK1', 'label: KSK2'), 2, 'keys.KSK1 has this label as well'),
])
def test_missing_or_wrong_key(hsm, data, change, status, said):
    assert change[0] in policy(data)
    hsm.configure(rest=policy(data).replace(change[0], change[1], 1))
    before = hsm.files()
    done = sign(hsm)
    assert done.status == status
    assert said in done.err + done.out
    assert hsm.files() == before


def rollover(text):
    """Both keys published, the first signs three bundles and the second the rest."""
    schema = 'schemas:\n  normal:\n' + ''.join(
        f'    {n}: {{publish: [KSK1, KSK2], sign: KSK{1 if n < 4 else 2}}}\n' for n in range(1, 7))
    return re.sub(r'schemas:\n.*', schema, text, flags=re.S)


def signers(hsm):
    made = (hsm.folder / 'skr.xml').read_text()
    return [re.findall(r'<Signature keyIdentifier="(KSK\d)"', bundle)
            for bundle in made.split('<ResponseBundle')[1:]]


def split_tokens(hsm, data):
    """KSK1 in T1 and KSK2 in T2 alone."""
    for path in (hsm.folder / 'tokens').iterdir():
        shutil.rmtree(path)
    for number in '12':
        hsm.make_token(f'T{number}')
        hsm.import_key(data / 'keys' / f'KSK{number}.der', f'KSK{number}', f'T{number}')


def test_one_key_in_each_of_two_slots(hsm, data):
    split_tokens(hsm, data)
    hsm.configure(rest=rollover(policy(data)))
    done = sign(hsm)
    assert done.status == 0, done.err
    assert signers(hsm) == [['KSK1']] * 3 + [['KSK2']] * 3
    assert 'T1' in hsm.logs('ksrsigner') and 'T2' in hsm.logs('ksrsigner')


def two_modules(hsm, data, faulty, fault=''):
    """KSK1 in T1 behind one module; KSK2 in T2 behind another library, a copy
    of SoftHSM, with a configuration and tokens of its own."""
    for path in (hsm.folder / 'tokens').iterdir():
        shutil.rmtree(path)
    hsm.make_token('T1')
    hsm.import_key(data / 'keys' / 'KSK1.der', 'KSK1', 'T1')
    (hsm.folder / 'other').mkdir()
    other = Hsm(hsm.folder / 'other')
    other.make_token('T2')
    other.import_key(data / 'keys' / 'KSK2.der', 'KSK2', 'T2')
    copy = hsm.folder / 'second.so'
    shutil.copy(SOFTHSM, copy)
    hsm.configure(hsm.module('one'), other.module('two', faulty, FAULTY_MODULE=str(copy), FAULTY=fault),
                  rest=rollover(policy(data)))


def test_two_modules_at_once(hsm, data, faulty):
    """Both libraries are started, used and ended in one process; --hsm takes one alone."""
    two_modules(hsm, data, faulty)
    done = sign(hsm)
    assert done.status == 0, done.err
    assert signers(hsm) == [['KSK1']] * 3 + [['KSK2']] * 3
    done = sign(hsm, '--hsm', 'two')
    assert done.status == 1 and 'the HSM has no key of this label (keys.KSK1)' in done.err
    done = sign(hsm, '--hsm', 'three')
    assert done.status == 2 and 'three' in done.err


def test_second_module_fails(hsm, data, faulty):
    """Half of the keys is not enough."""
    two_modules(hsm, data, faulty, 'remove-at=5')
    before = hsm.files()
    done = sign(hsm)
    assert_refused(hsm, before, done, 4, 'hsm two: .*CKR_DEVICE_REMOVED')


def test_same_label_in_two_slots(hsm, data):
    """The same key twice is one key; another key of that label is refused."""
    split_tokens(hsm, data)
    hsm.import_key(data / 'keys' / 'KSK1.der', 'KSK1', 'T2', '09')
    hsm.configure(rest=rollover(policy(data)))
    assert sign(hsm).status == 0
    split_tokens(hsm, data)
    hsm.import_key(data / 'keys' / 'EC1.der', 'KSK1', 'T2', '09')
    (hsm.folder / 'skr.xml').write_text('what was there before')
    before = hsm.files()
    done = sign(hsm)
    assert_refused(hsm, before, done, 1, 'KSK-IDENTITY: key KSK1: .*the key labelled KSK1 is another than that in slot')


def test_locked_softhsm_token(hsm, data):
    """The security officer's PIN opens the token again; --so says how."""
    hsm.configure(hsm.module(pin=None), rest=policy(data))
    done = hsm.converse('keymaster', 'changepin', '--so', columns=300, answers=[
        ("security officer's PIN for", 'wrong'), ('new PIN for', PIN), ('again, new PIN for', PIN)])
    assert done.status == 4 and 'C_Login as security officer: CKR_PIN_INCORRECT' in done.out
    done = hsm.converse('keymaster', 'changepin', '--so', answers=[
        ("security officer's PIN for", SO_PIN), ('new PIN for', '777777'), ('again, new PIN for', '777777')])
    assert done.status == 0
    done = hsm.converse('ksrsigner', '--no-previous-skr', 'first', 'ksr.xml', 'skr.xml', answers=[
        ('PIN for token T1', '777777'), ('(y/N)?', 'y')])
    assert done.status == 0, done.out


@pytest.mark.parametrize('function,what', [
    ('C_GetSlotList', 'its slots'), ('C_Login', 'the login'), ('C_FindObjectsInit', 'its objects'), ('C_Sign', 'a signature')])
def test_wait_is_shown_and_ends_at_ctrl_c(hsm, broken, function, what):
    """The module hangs and hears no signal: the terminal says for what and how long, the
    first Ctrl-C is noted, the second ends it, and there is no response."""
    broken(f'hangs={function}')
    before = hsm.files()
    done = hsm.converse('ksrsigner', '--no-previous-skr', 'first quarter', '--force', 'ksr.xml', 'skr.xml', answers=[
        (f'waiting for the HSM ({what}), 2 s; Ctrl-C twice ends', ''), ('3 s', '\x03'), ('4 s', '\x03')])
    assert done.status == -2, (done.status, done.out)
    assert hsm.files() == before


@pytest.mark.parametrize('words,function,what', [
    (['inventory'], 'C_GetSlotList', 'its slots'), (['inventory'], 'C_Login', 'the login'),
    (['inventory'], 'C_FindObjectsInit', 'its objects'),
    (['keygen', '--algorithm', 'ED25519', '--label', 'new'], 'C_GenerateKeyPair', 'a key to be made'),
    (['csr', '--label', 'KSK1', '--output', 'x.csr'], 'C_Sign', 'a signature')])
def test_keymaster_shows_that_it_waits_and_ends_at_ctrl_c(hsm, broken, words, function, what):
    """As ksrsigner: for what and how long; and nothing is written."""
    broken(f'hangs={function}')
    before = hsm.files()
    done = hsm.converse('keymaster', *words, answers=[
        (f'keymaster: waiting for the HSM ({what}), 2 s; Ctrl-C twice ends', ''), ('3 s', '\x03'), ('4 s', '\x03')])
    assert done.status == -2, (done.status, done.out)
    assert hsm.files() == before and calls(hsm)[-1] == function


def test_no_call_hangs_in_silence(hsm, broken):
    """Whichever of the calls of a signing it is, the first and the last too."""
    broken('')
    assert sign(hsm).status == 0
    made = set(calls(hsm))
    assert {'C_Initialize', 'C_GetAttributeValue', 'C_Sign', 'C_Finalize'} <= made
    for function in sorted(made - INSTANT):
        broken(f'hangs={function}')
        done = hsm.converse('ksrsigner', '--no-previous-skr', 'first quarter', '--force', 'ksr.xml', 'skr.xml',
                            answers=[('waiting for the HSM (', '\x03'), ('3 s', '\x03')])
        assert done.status == -2, (function, done.status, done.out)


def test_nobody_waits_where_nothing_hangs(hsm, broken):
    broken('')
    done = hsm.converse('ksrsigner', '--no-previous-skr', 'first quarter', '--force', 'ksr.xml', 'skr.xml')
    assert done.status == 0 and 'waiting for' not in done.out, done.out
