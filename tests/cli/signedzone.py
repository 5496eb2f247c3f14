# SPDX-License-Identifier: ISC
"""A whole signed zone around one bundle of a response: its DNSKEY RRset and the
KSK's signatures as they are, and the other records signed by ldns-signzone with
the zone signing key from ksrgen's folder, as the zone's maintainer would."""
import base64
import re
import subprocess
import xml.etree.ElementTree as tree

import dnssec
from rehearsal import MNEMONICS

RSA_FIELDS = ['Modulus', 'PublicExponent', 'PrivateExponent', 'Prime1', 'Prime2', 'Exponent1', 'Exponent2',
              'Coefficient']


def bundles(response):
    return list(tree.fromstring(response).iter('ResponseBundle'))


def _integers(der):
    """The integers of an RSAPrivateKey (RFC 8017 A.1.2), as bytes."""
    def element(at):
        length, at = der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7f
            length, at = int.from_bytes(der[at:at + size], 'big'), at + size
        return at, at + length

    at, end = element(0)
    while at < end:
        start, at = element(at)
        yield der[start:at].lstrip(b'\0')


def _private(pem, algorithm):
    """The key file's private half in the form of BIND's and ldns's key files."""
    pkcs8 = base64.b64decode(''.join(re.findall(r'^[A-Za-z0-9+/=]+$', pem.read_text(), re.M)))
    if algorithm in (8, 10):
        fields = list(_integers(pkcs8[pkcs8.index(b'\x30', 24):]))[1:]
        lines = zip(RSA_FIELDS, fields)
    else:
        # The octet string with the private scalar, or the seed.
        size = {13: 32, 14: 48, 15: 32, 16: 57}[algorithm]
        start = pkcs8.index(bytes([4, size])) + 2
        lines = [('PrivateKey', pkcs8[start:start + size])]
    return f'Private-key-format: v1.2\nAlgorithm: {algorithm} ({MNEMONICS[algorithm]})\n' + ''.join(
        f'{name}: {base64.b64encode(value).decode()}\n' for name, value in lines)


def _key_files(zone, bundle, folder, also):
    """Files for ldns-signzone of one ZSK for each algorithm of the bundle, and of
    further keys, Key elements, that are not in it."""
    found = {}
    for key in bundle.findall('Key') + list(also):
        if key.findtext('Flags') == '256':
            found[int(key.findtext('Algorithm'))] = key
    for algorithm, key in found.items():
        name = key.get('keyIdentifier')
        record = (f'{zone.domain} {key.findtext("TTL")} IN DNSKEY 256 3 {algorithm} {key.findtext("PublicKey")}\n')
        (folder / f'{name}.key').write_text(record)
        (folder / f'{name}.private').write_text(_private(zone.folder / f'zsk/{name}.pem', algorithm))
        yield folder / name


def make(zone, bundle, folder, also=()):
    """Write and sign the zone, also with keys that it does not publish; the path of
    its file."""
    folder.mkdir(parents=True)
    dot = '' if zone.domain == '.' else zone.domain
    keys = list(_key_files(zone, bundle, folder, also))
    records = list(dnssec.records(zone.domain, bundle))
    plain = folder / 'plain.zone'
    plain.write_text(f'{zone.domain} 3600 IN SOA ns.{dot} admin.{dot} 1 1800 900 604800 3600\n'
                     f'{zone.domain} 3600 IN NS ns.{dot}\nns.{dot} 3600 IN A 127.0.0.1\n'
                     f'www.rehearsal.{dot} 3600 IN A 192.0.2.1\n'
                     + '\n'.join(line for line in records if ' IN DNSKEY ' in line) + '\n')
    times = [re.sub(r'\D', '', bundle.findtext(name))[:14] for name in ('Inception', 'Expiration')]
    signed = folder / 'signed.zone'
    subprocess.run(['ldns-signzone', '-i', times[0], '-e', times[1], '-o', zone.domain, '-f', signed, plain, *keys],
                   check=True, stdout=subprocess.DEVNULL)
    # Whatever signed the keys here, the response's signatures take its place.
    lines = [line for line in signed.read_text().splitlines()
             if '\tRRSIG\tDNSKEY ' not in line and '\tDNSKEY\t' not in line]
    signed.write_text('\n'.join(lines + records) + '\n')
    return signed


def anchor_records(xml):
    """A trust anchor file as DS records, which validators read."""
    root = tree.fromstring(xml.read_text())
    return [' '.join([root.findtext('Zone'), 'IN DS', key.findtext('KeyTag'), key.findtext('Algorithm'),
                      key.findtext('DigestType'), key.findtext('Digest')]) for key in root.iter('KeyDigest')]
