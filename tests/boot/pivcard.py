# SPDX-License-Identifier: ISC
"""A smart card with the PIV application (NIST SP 800-73-4), as far as OpenSC uses it to
list keys and to sign: RSA-2048 and P-256 keys with their certificates, a PIN that
locks.  Slot 9A signs once the PIN is known, slot 9C wants it before each signature."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

APPLICATION = bytes.fromhex('a000000308000010000100')
# Slot: the object that holds its certificate.
CERTIFICATES = {0x9a: '5fc105', 0x9c: '5fc10a', 0x9d: '5fc10b', 0x9e: '5fc101'}
OK, WRONG_PIN, LOCKED = 0x9000, 0x63c0, 0x6983
NOT_ALLOWED, NOT_FOUND, WRONG_DATA, UNKNOWN = 0x6982, 0x6a82, 0x6a80, 0x6d00


def tlv(tag, value):
    tag = bytes.fromhex(tag) if isinstance(tag, str) else bytes([tag])
    size = len(value)
    length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else b'\x82' + size.to_bytes(2, 'big')
    return tag + length + value


def children(data):
    """{tag: value} of the elements in data, tags of one byte."""
    found = {}
    while data:
        tag, size, data = data[0], data[1], data[2:]
        if size & 0x80:
            size, data = int.from_bytes(data[:size & 0x7f], 'big'), data[size & 0x7f:]
        found[tag], data = data[:size], data[size:]
    return found


def certificate(key, name):
    """What says which public key a slot has."""
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.datetime(2026, 1, 1)
    made = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(1).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(3650))
            .sign(key, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.DER)


class Piv:
    """A card.  keys: {slot: private key}; after_signature: called with the number of
    signatures made so far, for what a test wants to happen then."""
    atr = bytes.fromhex('3b800181')

    def __init__(self, keys, pin='123456', tries=3, guid=b'\x01' * 16):
        self.keys, self.pin, self.tries_at_first, self.tries = keys, pin, tries, tries
        self.signatures, self.commands = 0, []
        self.after_signature = lambda count: None
        self.objects = {
            '5fc102': (tlv(0x30, bytes(25)) + tlv(0x34, guid) + tlv(0x35, b'20401231') + tlv(0x3e, b'') +
                       tlv(0xfe, b'')),
            '5fc107': (tlv(0xf0, bytes(21)) + tlv(0xf1, b'\x21') + tlv(0xf2, b'\x21') + tlv(0xf3, b'') +
                       tlv(0xf4, b'\x00') + tlv(0xf5, b'\x10') + b''.join(tlv(tag, b'') for tag in range(0xf6, 0xff)
                                                                         if tag not in (0xf8, 0xf9))),
        }
        for slot, key in keys.items():
            self.objects[CERTIFICATES[slot]] = (tlv(0x70, certificate(key, f'slot {slot:x}')) + tlv(0x71, b'\x00') +
                                                tlv(0xfe, b''))
        self.power_on()

    def power_on(self):
        """Whoever knew the PIN has to say it again."""
        self.selected = self.verified = self.fresh = False
        self.chained, self.rest = b'', b''
        return self.atr

    def verify(self, typed):
        """PIN as it comes, padded; a status."""
        if self.tries == 0:
            return LOCKED
        if typed.rstrip(b'\xff') != self.pin.encode():
            self.tries -= 1
            self.verified = self.fresh = False
            return WRONG_PIN | self.tries if self.tries else LOCKED
        self.tries = self.tries_at_first
        self.verified = self.fresh = True
        return OK

    def transmit(self, apdu):
        """One command APDU, short or extended; the answer."""
        self.commands.append(apdu)
        kind, instruction, p1, p2 = apdu[:4]
        body, most = self._body(apdu[4:])
        if kind & 0x10:
            self.chained += body
            return OK.to_bytes(2, 'big')
        body, self.chained = self.chained + body, b''
        if instruction == 0xc0:
            return self._answer(self.rest, OK, most)
        table = {0xa4: self._select, 0xcb: self._get_data, 0x20: self._verify, 0x87: self._authenticate}
        if instruction not in table or (not self.selected and instruction != 0xa4):
            return UNKNOWN.to_bytes(2, 'big')
        fresh, self.fresh = self.fresh, False
        status, answer = table[instruction](p1, p2, body, fresh)
        return self._answer(answer, status, most)

    @staticmethod
    def _body(rest):
        """Data, and how much may come back."""
        if len(rest) > 2 and rest[0] == 0:
            size = int.from_bytes(rest[1:3], 'big')
            if len(rest) == 3:
                return b'', size or 65536
            return rest[3:3 + size], int.from_bytes(rest[3 + size:] or b'\x00\x00', 'big') or 65536
        if len(rest) <= 1:
            return b'', (rest[0] if rest else 0) or 256
        return rest[1:1 + rest[0]], (rest[1 + rest[0]] if len(rest) > 1 + rest[0] else 0) or 256

    def _answer(self, data, status, most):
        piece, self.rest = data[:most], data[most:]
        if self.rest:
            status = 0x6100 | min(len(self.rest), 255) % 256
        return piece + status.to_bytes(2, 'big')

    def _select(self, p1, _, body, fresh):
        self.selected = p1 == 4 and bool(body) and APPLICATION.startswith(body[:9]) and len(body) >= 5
        self.verified = False
        if not self.selected:
            return NOT_FOUND, b''
        return OK, tlv(0x61, tlv(0x4f, APPLICATION[5:]) + tlv(0x79, tlv(0x4f, APPLICATION[:5])))

    def _get_data(self, p1, p2, body, fresh):
        name = children(body).get(0x5c, b'').hex()
        if name == '7e':
            return OK, tlv(0x7e, tlv(0x4f, APPLICATION) + tlv('5f2f', b'\x40\x00'))
        if name not in self.objects:
            return NOT_FOUND, b''
        return OK, tlv(0x53, self.objects[name])

    def _verify(self, p1, p2, body, fresh):
        if p2 != 0x80:
            return 0x6a88, b''
        if not body:
            return OK if self.verified else LOCKED if not self.tries else WRONG_PIN | self.tries, b''
        return self.verify(body), b''

    def _authenticate(self, p1, slot, body, fresh):
        key = self.keys.get(slot)
        challenge = children(children(body).get(0x7c, b'')).get(0x81)
        if key is None or challenge is None:
            return WRONG_DATA, b''
        if not (fresh if slot == 0x9c else self.verified):
            return NOT_ALLOWED, b''
        if isinstance(key, rsa.RSAPrivateKey):
            numbers = key.private_numbers()
            number = pow(int.from_bytes(challenge, 'big'), numbers.d, numbers.public_numbers.n)
            made = number.to_bytes(256, 'big')
        else:
            made = key.sign(challenge, ec.ECDSA(Prehashed(hashes.SHA256())))
        self.signatures += 1
        self.after_signature(self.signatures)
        return OK, tlv(0x7c, tlv(0x82, made))
