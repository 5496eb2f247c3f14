# SPDX-License-Identifier: ISC
"""Shows that the card and the reader of the boot tests (tests/boot/pivcard.py,
usbreader.py) are what they say, by the bytes of the standards: a card that signs
anything, or a PIN that never locks, would prove nothing about the disc."""
import pathlib
import struct
import sys

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'boot'))
import pivcard as cards  # noqa: E402
import usbreader  # noqa: E402

SELECT = '00a4040009a00000030800001000'
RIGHT, WRONG = '0020008008313233343536ffff', '0020008008363534333231ffff'
DIGEST = bytes(range(32))


@pytest.fixture(scope='module')
def keys():
    return {0x9a: rsa.generate_private_key(65537, 2048), 0x9c: ec.generate_private_key(ec.SECP256R1())}


@pytest.fixture
def card(keys):
    made = cards.Piv(keys)
    assert send(made, SELECT)[0] == 0x9000
    return made


def send(card, apdu):
    """(status, data), with what follows by GET RESPONSE."""
    answer = card.transmit(bytes.fromhex(apdu) if isinstance(apdu, str) else apdu)
    data = answer[:-2]
    while answer[-2] == 0x61:
        answer = card.transmit(bytes([0, 0xc0, 0, 0, answer[-1]]))
        data += answer[:-2]
    return int.from_bytes(answer[-2:], 'big'), data


def ask_for_signature(card, slot, kind, challenge):
    """In pieces, as a short APDU has to be: chained."""
    body = cards.tlv(0x7c, cards.tlv(0x82, b'') + cards.tlv(0x81, challenge))
    while len(body) > 255:
        assert card.transmit(bytes([0x10, 0x87, kind, slot, 255]) + body[:255]) == b'\x90\x00'
        body = body[255:]
    status, data = send(card, bytes([0, 0x87, kind, slot, len(body)]) + body + b'\x00')
    return status, cards.children(cards.children(data)[0x7c])[0x82] if status == 0x9000 else None


def test_certificates_are_read_in_pieces_or_whole(card, keys):
    for slot, name in ((0x9a, '5fc105'), (0x9c, '5fc10a')):
        status, data = send(card, f'00cb3fff055c03{name}00')
        whole = card.transmit(bytes.fromhex(f'00cb3fff0000055c03{name}0000'))
        assert status == 0x9000 and whole == data + b'\x90\x00'
        made = x509.load_der_x509_certificate(cards.children(cards.children(data)[0x53])[0x70])
        assert made.public_key().public_numbers() == keys[slot].public_key().public_numbers()
    assert send(card, '00cb3fff055c035fc10b00')[0] == 0x6a82


def test_rsa_signs_after_the_pin(card, keys):
    padded = b'\x00\x01' + b'\xff' * 202 + b'\x00' + bytes.fromhex('3031300d060960864801650304020105000420') + DIGEST
    assert ask_for_signature(card, 0x9a, 7, padded)[0] == 0x6982
    assert send(card, RIGHT)[0] == 0x9000
    for _ in range(2):
        status, made = ask_for_signature(card, 0x9a, 7, padded)
        assert status == 0x9000
        numbers = keys[0x9a].public_key().public_numbers()
        assert pow(int.from_bytes(made, 'big'), numbers.e, numbers.n) == int.from_bytes(padded, 'big')
    assert card.signatures == 2


def test_slot_9c_wants_the_pin_each_time(card, keys):
    for _ in range(2):
        assert ask_for_signature(card, 0x9c, 0x11, DIGEST)[0] == 0x6982
        assert send(card, RIGHT)[0] == 0x9000
        status, made = ask_for_signature(card, 0x9c, 0x11, DIGEST)
        assert status == 0x9000
        keys[0x9c].public_key().verify(made, DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))
        with pytest.raises(InvalidSignature):
            keys[0x9c].public_key().verify(made, bytes(32), ec.ECDSA(Prehashed(hashes.SHA256())))


def test_the_pin_locks_and_a_reset_does_not_help(card):
    assert send(card, '0020008000')[0] == 0x63c3
    assert [send(card, WRONG)[0] for _ in range(4)] == [0x63c2, 0x63c1, 0x6983, 0x6983]
    card.power_on()
    send(card, SELECT)
    assert send(card, RIGHT)[0] == 0x6983


def test_the_right_pin_gives_the_tries_back_and_a_reset_forgets_it(card):
    send(card, WRONG)
    assert send(card, RIGHT)[0] == 0x9000 and card.tries == 3
    card.power_on()
    send(card, SELECT)
    assert send(card, '0020008000')[0] == 0x63c3


class Host:
    def __init__(self, reader):
        self.reader, self.number = reader, 0

    def send(self, kind, content=b''):
        """(message, slot's state, failed?, error, content)"""
        self.number += 1
        message = struct.pack('<BIBB3x', kind, len(content), 0, self.number) + content
        for place in range(0, len(message), 64):
            self.reader.written(self.reader.OUT, message[place:place + 64])
        answer = b''.join(self.reader.waiting.pop(self.reader.IN_))
        back, size, _, number, status, error, _ = struct.unpack_from('<BIBBBBB', answer)
        assert number == self.number and size == len(answer) - 10
        return back, status & 3, bool(status & 0x40), error, answer[10:]


def test_the_reader_carries_commands(keys):
    reader = usbreader.Reader(cards.Piv(keys))
    host = Host(reader)
    assert host.send(usbreader.SLOT_STATUS)[:3] == (usbreader.STATUS, usbreader.INACTIVE, False)
    assert host.send(usbreader.POWER_ON) == (usbreader.DATA, usbreader.ACTIVE, False, 0, bytes.fromhex('3b800181'))
    back = host.send(usbreader.TRANSFER, bytes.fromhex(SELECT))
    assert back[:4] == (usbreader.DATA, usbreader.ACTIVE, False, 0) and back[4].endswith(b'\x90\x00')
    assert host.send(0x55)[2]
    reader.take_out()
    assert reader.waiting.pop(reader.NEWS) == [b'\x50\x02']
    assert host.send(usbreader.TRANSFER, bytes.fromhex(SELECT))[1:4] == (usbreader.ABSENT, True, usbreader.NO_CARD)


def test_the_pad_types_the_pin(keys):
    reader = usbreader.Reader(cards.Piv(keys), pad=True)
    reader.typed = ['654321', None, '123456']
    host = Host(reader)
    host.send(usbreader.POWER_ON)
    host.send(usbreader.TRANSFER, bytes.fromhex(SELECT))
    question = bytes([0, 30, 0x82, 0x08, 0]) + struct.pack('<HBBHB3x', 0x0408, 2, 1, 0x409, 0) + bytes.fromhex(
        '0020008008') + b'\xff' * 8
    assert host.send(usbreader.SECURE, question)[4] == b'\x63\xc2'
    assert host.send(usbreader.SECURE, question)[2:4] == (True, usbreader.CANCELLED)
    assert host.send(usbreader.SECURE, question)[4] == b'\x90\x00'


def test_the_descriptor_has_its_length():
    assert len(usbreader.descriptor(True)) == 54 and usbreader.descriptor(True)[52] == 1
