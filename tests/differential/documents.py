# SPDX-License-Identifier: ISC
"""Requests and responses as plain data, written anew for the tests: nothing here
knows how the programs read or write them.  Keys are P-256 (algorithm 13), P-384
(14) or Ed25519 (15), so that thousands of signatures cost nothing; the private
halves of all of them, KSKs too, are at hand, so a mutant can be signed properly
by whoever should not have."""
import base64
import copy
import datetime
import hashlib
import struct
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr, escape
import xml.etree.ElementTree as tree

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

DAY = 86400
ZSK, KSK, REVOKED = 256, 257, 385
DURATIONS = ['PublishSafety', 'RetireSafety', 'MaxSignatureValidity', 'MinSignatureValidity',
             'MaxValidityOverlap', 'MinValidityOverlap']
FAMILY = {13: ('ECDSA', 256), 14: ('ECDSA', 384), 15: ('EdDSA', 256)}


class Pair:
    """A key with both its halves."""

    def __init__(self, name, algorithm=13):
        self.name, self.algorithm = name, algorithm
        if algorithm == 15:
            self.private = ed25519.Ed25519PrivateKey.generate()
            self.public = self.private.public_key().public_bytes(serialization.Encoding.Raw,
                                                                 serialization.PublicFormat.Raw)
        else:
            self.size = 32 if algorithm == 13 else 48
            self.private = ec.generate_private_key(ec.SECP256R1() if algorithm == 13 else ec.SECP384R1())
            numbers = self.private.public_key().public_numbers()
            self.public = numbers.x.to_bytes(self.size, 'big') + numbers.y.to_bytes(self.size, 'big')

    def pem(self):
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption())

    def sign(self, data):
        if self.algorithm == 15:
            return self.private.sign(data)
        r, s = decode_dss_signature(self.private.sign(
            data, ec.ECDSA(hashes.SHA256() if self.algorithm == 13 else hashes.SHA384())))
        return r.to_bytes(self.size, 'big') + s.to_bytes(self.size, 'big')

    def record(self, flags):
        return struct.pack('!HBB', flags, 3, self.algorithm) + self.public

    def ds(self, owner, flags=KSK):
        return hashlib.sha256(wire(owner) + self.record(flags)).hexdigest().upper()


@dataclass
class Key:
    identifier: str
    tag: int
    ttl: int
    flags: int
    protocol: int
    algorithm: int
    public: bytes

    def rdata(self):
        return struct.pack('!HBB', self.flags, self.protocol, self.algorithm) + self.public


@dataclass
class Signature:
    identifier: str
    ttl: int
    covers: str
    algorithm: int
    labels: int
    original_ttl: int
    expiration: int
    inception: int
    tag: int
    signer: str
    data: bytes = b''


@dataclass
class Bundle:
    id: str
    inception: int
    expiration: int
    keys: list = field(default_factory=list)
    signatures: list = field(default_factory=list)
    signers: list = field(default_factory=list)


@dataclass
class Policy:
    durations: dict
    algorithms: list        # (algorithm, size)


@dataclass
class Document:
    kind: str               # Request or Response
    id: str
    domain: str
    serial: int
    zsk: Policy
    ksk: Policy = None
    bundles: list = field(default_factory=list)

    def copy(self):
        return copy.deepcopy(self)


def tag_of(rdata):
    """RFC 4034 appendix B."""
    total = sum(byte if i & 1 else byte << 8 for i, byte in enumerate(rdata))
    return (total + (total >> 16 & 0xffff)) & 0xffff


def wire(name):
    labels = [] if name in ('.', '') else name.rstrip('.').split('.')
    return b''.join(bytes([len(label)]) + label.lower().encode() for label in labels) + b'\0'


def labels_of(name):
    return len([label for label in name.split('.') if label])


def signed_data(bundle, signature, owner):
    """RFC 4034 section 3.1.8.1, for the bundle's DNSKEY RRset."""
    records = sorted({key.rdata() for key in bundle.keys})
    head = struct.pack('!HBBIIIH', 48, signature.algorithm, signature.labels, signature.original_ttl,
                       signature.expiration & 0xffffffff, signature.inception & 0xffffffff, signature.tag)
    return head + wire(signature.signer) + b''.join(
        wire(owner) + struct.pack('!HHIH', 48, 1, signature.original_ttl, len(record)) + record
        for record in records)


def make_key(pair, flags, ttl, identifier=None):
    return Key(identifier or pair.name, tag_of(pair.record(flags)), ttl, flags, 3, pair.algorithm, pair.public)


def make_signature(document, bundle, pair, flags, identifier=None, **more):
    ttl = bundle.keys[0].ttl
    fields = dict(identifier=identifier or pair.name, ttl=ttl, covers='DNSKEY', algorithm=pair.algorithm,
                  labels=labels_of(document.domain), original_ttl=ttl, expiration=bundle.expiration,
                  inception=bundle.inception, tag=tag_of(pair.record(flags)), signer=document.domain)
    signature = Signature(**{**fields, **more})
    signature.data = pair.sign(signed_data(bundle, signature, document.domain))
    return signature


def sign_again(document, bundle, pairs):
    """Each signature of the bundle anew, by whoever is known to have signed it,
    over what stands there now; unknown keys stay as they are."""
    for signature in bundle.signatures:
        pair = pairs.get(signature.identifier)
        if pair is not None:
            signature.data = pair.sign(signed_data(bundle, signature, document.domain))


# Text

def time_text(seconds):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).isoformat() + '+00:00'


def duration_text(seconds):
    if seconds % DAY == 0:
        return f'P{seconds // DAY}D' if seconds else 'PT0S'
    return f'P{seconds // DAY}DT{seconds % DAY}S'


def _element(name, text):
    return f'<{name}>{escape(str(text))}</{name}>'


def _policy(name, policy):
    lines = [f'<{name}>'] + [_element(each, duration_text(policy.durations[each])) for each in DURATIONS]
    for algorithm, size in policy.algorithms:
        lines.append(f'<SignatureAlgorithm algorithm="{algorithm}"><{FAMILY[algorithm][0]} size="{size}"/>'
                     '</SignatureAlgorithm>')
    return lines + [f'</{name}>']


def _attribute(text):
    # What an XML reader would make a blank of stands as a reference.
    return quoteattr(text, {'\n': '&#10;', '\t': '&#9;', '\r': '&#13;'})


def _bundle(name, bundle):
    lines = [f'<{name} id={_attribute(bundle.id)}>', _element('Inception', time_text(bundle.inception)),
             _element('Expiration', time_text(bundle.expiration))]
    lines += [f'<Signer keyIdentifier={_attribute(each)}/>' for each in bundle.signers]
    for key in bundle.keys:
        lines += [f'<Key keyIdentifier={_attribute(key.identifier)} keyTag="{key.tag}">',
                  _element('TTL', key.ttl), _element('Flags', key.flags), _element('Protocol', key.protocol),
                  _element('Algorithm', key.algorithm),
                  _element('PublicKey', base64.b64encode(key.public).decode()), '</Key>']
    for sig in bundle.signatures:
        lines += [f'<Signature keyIdentifier={_attribute(sig.identifier)}>', _element('TTL', sig.ttl),
                  _element('TypeCovered', sig.covers), _element('Algorithm', sig.algorithm),
                  _element('Labels', sig.labels), _element('OriginalTTL', sig.original_ttl),
                  _element('SignatureExpiration', time_text(sig.expiration)),
                  _element('SignatureInception', time_text(sig.inception)), _element('KeyTag', sig.tag),
                  _element('SignersName', sig.signer),
                  _element('SignatureData', base64.b64encode(sig.data).decode()), '</Signature>']
    return lines + [f'</{name}>']


def write(document):
    kind = document.kind
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<KSR id={_attribute(document.id)} domain={_attribute(document.domain)} serial="{document.serial}">',
             f'<{kind}>', f'<{kind}Policy>']
    if document.ksk is not None:
        lines += _policy('KSK', document.ksk)
    lines += _policy('ZSK', document.zsk) + [f'</{kind}Policy>']
    for bundle in document.bundles:
        lines += _bundle(f'{kind}Bundle', bundle)
    return '\n'.join(lines + [f'</{kind}>', '</KSR>', ''])


def _time(text):
    return int(datetime.datetime.fromisoformat(text.strip()).replace(tzinfo=datetime.timezone.utc).timestamp())


def read_bundles(text):
    """The bundles of a response that a program wrote."""
    made = []
    for node in tree.fromstring(text).iter('ResponseBundle'):
        bundle = Bundle(node.get('id'), _time(node.findtext('Inception')), _time(node.findtext('Expiration')))
        for key in node.findall('Key'):
            bundle.keys.append(Key(key.get('keyIdentifier'), int(key.get('keyTag')),
                                   *[int(key.findtext(name)) for name in ('TTL', 'Flags', 'Protocol', 'Algorithm')],
                                   base64.b64decode(key.findtext('PublicKey'))))
        for sig in node.findall('Signature'):
            bundle.signatures.append(Signature(
                sig.get('keyIdentifier'), int(sig.findtext('TTL')), sig.findtext('TypeCovered'),
                int(sig.findtext('Algorithm')), int(sig.findtext('Labels')), int(sig.findtext('OriginalTTL')),
                _time(sig.findtext('SignatureExpiration')), _time(sig.findtext('SignatureInception')),
                int(sig.findtext('KeyTag')), sig.findtext('SignersName'),
                base64.b64decode(sig.findtext('SignatureData'))))
        made.append(bundle)
    return made
