# SPDX-License-Identifier: ISC
"""A quarter is signed by a smart card on the booted disc: a reader on a USB cable and a
PIV card in it are programs of this test (usbredir.py, usbreader.py, pivcard.py); between
them and the signer is what the disc has: usb-policy, pcscd, its CCID driver, OpenSC.
The key wants the PIN before each signature.  And what the operator sees when the PIN is
wrong or locked, the card or the reader is pulled between two signatures, or a pad asks
for the PIN.  Matters: a card is what most who sign a zone have, and none was ever in a
virtual machine's reader before.

One machine, in this order: each test leaves card and reader as it found them."""
import json
import re
import threading

import dns.dnssec
import dns.rdataclass
import dns.rdatatype
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from dns.rdtypes.ANY.DNSKEY import DNSKEY

import dnssec
import drives
from machine import said
from pivcard import Piv
from rehearsal import Rehearsal
from table import table
from usbreader import Reader
from usbredir import Plug

pytestmark = pytest.mark.slow

OPENSC = '/usr/lib/x86_64-linux-gnu/pkcs11/opensc-pkcs11.so'
PROXY = '/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so'
PIN, LABEL, BUNDLES = '123456', 'SIGN key', 3      # OpenSC's name for the key of slot 9C
CARD = 'hsm card: slot 0 (slot 9c): '


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('cards')


@pytest.fixture(scope='module')
def key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope='module')
def card(key):
    return Piv({0x9c: key})


@pytest.fixture(scope='module')
def reader(card):
    return Reader(card)


@pytest.fixture(scope='module')
def zone(folder, key, programs):
    """HSMFD: a request, and a configuration that names the card's key."""
    (folder / 'HSMFD').mkdir()
    made = Rehearsal(folder / 'HSMFD', programs, domain='example.', bundles=BUNDLES, algorithm=8)
    numbers = key.public_key().public_numbers()
    record = DNSKEY(dns.rdataclass.IN, dns.rdatatype.DNSKEY, 257, 3, 8,
                    b'\x03' + numbers.e.to_bytes(3, 'big') + numbers.n.to_bytes(256, 'big'))
    digest = dns.dnssec.make_ds('example.', record, 'SHA256').digest.hex()
    made.know_ksk('card', f'example. IN DS {dns.dnssec.key_id(record)} 8 2 {digest}', 8)
    made.keys['card']['label'] = LABEL
    config = made.configure(made.normal('card'), made.ask())
    sections = json.loads(config.read_text())
    sections['hsm'] = {'card': {'module': OPENSC}}
    config.write_text(json.dumps(sections))
    sections['hsm'] = {'card': {'module': PROXY}}
    (made.folder / 'proxy.yaml').write_text(json.dumps(sections))
    return made


@pytest.fixture(scope='module')
def drive(folder, zone):
    return drives.make_drive(folder / 'hsmfd.img', 'HSMFD', zone.folder)


@pytest.fixture(scope='module')
def guest(disc, folder, drive):
    with table(disc, folder, drive) as machine:
        yield machine


def put_in(guest, reader, folder, port='one'):
    """Plug the reader in, and wait until a slot is there for it."""
    plug = Plug(reader, folder / port).put_in()
    wait_for_slot(guest, reader)
    return plug


def wait_for_slot(guest, reader):
    guest.must('for n in $(seq 10); do hsm-list 2>/dev/null | '
               f'grep -q "({reader.names[3]})" && break; sleep 1; done; hsm-list | grep -q "({reader.names[3]})"', 120)


@pytest.fixture(scope='module')
def plug(guest, reader, folder):
    with put_in(guest, reader, folder) as made:
        yield made


def sign(guest, zone, name, pins=(PIN,), options=''):
    """Run ksrsigner, typing the PINs that are asked for, then y; status and what it said."""
    begun = len(guest.text)
    guest.send(f'ksrsigner {options} --no-previous-skr=rehearsal {zone.request.name} {name}; echo "=RC=$?="\r')
    pins = list(pins)
    while True:
        found = guest.expect(r'PIN for token [^\n]*: |Is this correct \(y/N\)\? |=RC=(\d+)=', 60)
        if found.group(1) is not None:
            break
        guest.send(('y' if 'correct' in found.group(0) else pins.pop(0)) + '\r')
    guest.prompt()
    shown = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', guest.text[begun:]).replace('\r', '')
    return int(found.group(1)), re.sub(r'\n {4,}', ' ', shown)     # a message is one row again


def files(guest):
    return said(guest, 'ls -A').split()


def test_the_card_is_listed(guest, plug):
    page = guest.must('hsm-list', 120)
    assert re.search(r'Slot 0: +SCM Microsystems Inc. SCR 3310 \(SN-Reader\) 00 00\s+label: +slot 9c', page), page


def test_the_inventory_has_its_key(guest, plug):
    guest.send('keymaster inventory; echo "=RC=$?="\r')
    guest.expect(r'PIN for token slot 9c \(PKCS#15 emulated, serial \w+, slot 0\): ', 60)
    guest.send(f'{PIN}\r')
    shown = guest.expect(r'(.*)=RC=0=', 60).group(1)
    guest.prompt()
    # OpenSC gives a PIV card's public half a label of its own.
    assert re.search(rf'{LABEL} +RSA 2048  tag \d+  private only +is keys\.card', shown), shown


def test_the_card_signs_a_quarter(guest, plug, zone, card):
    card.signatures = 0
    status, shown = sign(guest, zone, 'skr.xml')
    assert status == 0 and 'PASS SKR-VERIFY' in shown and 'Generated new SKR in skr.xml' in shown, shown
    assert card.signatures == BUNDLES
    # Each signature has a PIN of its own before it.
    kinds = [command[1] for command in card.commands if command[1] in (0x20, 0x87) and command[:1] == b'\x00' and
             (command[1] == 0x87 or len(command) > 5)]
    last = kinds[-2 * BUNDLES:]
    assert last == [0x20, 0x87] * BUNDLES, kinds


def test_a_wrong_pin_is_told_and_nothing_written(guest, plug, zone, card):
    before = card.tries
    status, shown = sign(guest, zone, 'wrong.xml', ['654321'])
    assert status == 4 and f'ksrsigner: {CARD}C_Login: CKR_PIN_INCORRECT (0xa0)\n' in shown, shown
    assert card.tries == before - 1 and 'wrong.xml' not in files(guest)


def test_before_the_last_try_there_is_a_warning(guest, plug, zone, card):
    card.tries = 1
    status, shown = sign(guest, zone, 'last.xml')
    assert status == 0 and 'LAST TRY, a wrong PIN locks the token!\nPIN for token slot 9c' in shown, shown
    assert card.tries == 3


def test_a_locked_card_is_told_before_any_pin(guest, plug, zone, card):
    card.tries = 0
    status, shown = sign(guest, zone, 'locked.xml', [])
    card.tries = 3
    assert status == 4 and 'PIN for token' not in shown, shown
    assert f'ksrsigner: {CARD}the PIN is locked: the security officer must set a new one\n' in shown, shown
    assert 'locked.xml' not in files(guest)


def test_the_card_is_pulled_between_two_signatures(guest, plug, zone, card, reader):
    """Nothing half-written, and the same quarter is signed once it is back."""
    card.signatures, card.after_signature = 0, lambda count: count == 2 and reader.take_out()
    status, shown = sign(guest, zone, 'pulled.xml')
    card.after_signature = lambda count: None
    assert status == 4 and card.signatures == 2
    assert re.search(rf'ksrsigner: bundle [0-9a-f-]+, key {LABEL}: {re.escape(CARD)}C_Sign: CKR_\w+ \(0x\w+\)\n', shown), shown
    assert not [name for name in files(guest) if name.startswith(('pulled', '.'))]
    reader.insert(card)
    guest.must('until hsm-list | grep -q "label: *slot 9c"; do sleep 1; done', 120)
    status, shown = sign(guest, zone, 'again.xml')
    assert status == 0, shown
    guest.must('cmp skr.xml again.xml')


def test_the_reader_is_pulled_between_two_signatures(guest, plug, zone, card, reader):
    card.signatures = 0
    card.after_signature = lambda count: count == 2 and threading.Thread(target=plug.pull).start()
    status, shown = sign(guest, zone, 'unplugged.xml')
    card.after_signature = lambda count: None
    assert status == 4, shown
    assert re.search(rf'ksrsigner: bundle [0-9a-f-]+, key {LABEL}: {re.escape(CARD)}C_Sign: CKR_\w+ \(0x\w+\)\n', shown), shown
    assert not [name for name in files(guest) if name.startswith(('unplugged', '.'))]
    status, shown = sign(guest, zone, 'none.xml', [])
    assert status == 4 and f'hsm card: no initialised token in any slot of {OPENSC}\n' in shown, shown


def test_a_pad_asks_for_the_pin(guest, plug, zone, card, folder):
    """The PIN is typed on the reader, for the login, once to try whether it can be for a
    signature, before the question, and for each signature; it never comes over the cable."""
    pad = Reader(card, pad=True, name='Pad')
    pad.typed = [PIN] * (1 + 1 + BUNDLES)
    card.signatures = 0
    with put_in(guest, pad, folder, 'two'):
        status, shown = sign(guest, zone, 'pad.xml', [])
    assert status == 0 and 'PIN for token' not in shown, shown
    assert card.signatures == BUNDLES and pad.typed == []
    guest.must('cmp skr.xml pad.xml')


def test_two_readers_are_two_slots(guest, plug, reader, card, folder):
    other = Reader(Piv({0x9a: rsa.generate_private_key(65537, 2048)}), name='Second')
    if not plug.line:           # the test before left it out
        plug.put_in()
    with put_in(guest, other, folder, 'two'):
        wait_for_slot(guest, reader)
        page = guest.must('hsm-list', 120)
        assert {'slot 9c', 'slot 9a'} <= set(re.findall(r'label: +(slot \w+)', page)), page
        assert '(SN-Reader)' in page and '(SN-Second)' in page


@pytest.mark.unproven
def test_the_card_signs_through_p11_kit(guest, plug, zone, card, reader):
    """As one module of all that are registered: what an operator names who does not know
    which driver the card has.  The same bytes."""
    if not plug.line:
        plug.put_in()
    wait_for_slot(guest, reader)
    card.signatures = 0
    status, shown = sign(guest, zone, 'proxy.xml', options='--config=proxy.yaml')
    assert status == 0 and card.signatures == BUNDLES, shown
    guest.must('cmp skr.xml proxy.xml')


@pytest.mark.unproven
@pytest.mark.parametrize('config', ['ksrsigner.yaml', 'proxy.yaml'])
def test_the_key_s_card_signs_beside_another(guest, plug, zone, card, reader, folder, config):
    """Two readers: the other's card has its own PIN, and is not asked for a signature."""
    other = Piv({0x9a: rsa.generate_private_key(65537, 2048)})
    if not plug.line:
        plug.put_in()
    with put_in(guest, Reader(other, name='Second'), folder, 'two'):
        wait_for_slot(guest, reader)
        card.signatures = other.signatures = 0
        status, shown = sign(guest, zone, 'beside.xml', [PIN, PIN], f'--force --config={config}')
        assert status == 0 and (card.signatures, other.signatures) == (BUNDLES, 0), shown
        guest.must('cmp skr.xml beside.xml')


def test_what_the_card_signed_is_good(guest, zone, drive, tmp_path):
    """By others' code, from the drive."""
    guest.must('cd; umount /media/HSMFD')
    assert dnssec.validate(drives.read_drive(drive, 'skr.xml'), tmp_path / 'zones') == BUNDLES
