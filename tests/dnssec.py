# SPDX-License-Identifier: ISC
"""A second opinion on a response, by programs not written here: each bundle
becomes a zone file and ldns-verify-zone says what it thinks of it."""
import datetime
import subprocess
import xml.etree.ElementTree as tree

# The DNSKEY RRset is all that is signed: an unsigned SOA and NS make the
# records a zone, and the verifier complains about them, rightly.
ZONE = '{name} 86400 IN SOA a.root. b.root. 1 1800 900 604800 86400\n{name} 86400 IN NS ns.invalid.\n'


def _time(text):
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).strftime('%Y%m%d%H%M%S')


def _plain(element, name):
    return ''.join(element.findtext(name).split())


def records(name, bundle):
    """The DNSKEY and RRSIG records of one bundle, in presentation form."""
    for key in bundle.findall('Key'):
        yield (f'{name} {_plain(key, "TTL")} IN DNSKEY {_plain(key, "Flags")} '
               f'{_plain(key, "Protocol")} {_plain(key, "Algorithm")} {_plain(key, "PublicKey")}')
    for sig in bundle.findall('Signature'):
        yield (f'{name} {_plain(sig, "TTL")} IN RRSIG DNSKEY {_plain(sig, "Algorithm")} '
               f'{_plain(sig, "Labels")} {_plain(sig, "OriginalTTL")} '
               f'{_time(_plain(sig, "SignatureExpiration"))} '
               f'{_time(_plain(sig, "SignatureInception"))} {int(_plain(sig, "KeyTag"))} '
               f'{_plain(sig, "SignersName")} {_plain(sig, "SignatureData")}')


def validate(response, folder):
    """Have ldns-verify-zone check every bundle at its own time against the
    KSKs in it; the number of signatures in bundles found good."""
    folder.mkdir(parents=True)
    root = tree.fromstring(response)
    name = root.get('domain')
    good = 0
    for bundle in root.iter('ResponseBundle'):
        lines = list(records(name, bundle))
        zone = folder / f'{bundle.get("id")}.zone'
        zone.write_text(ZONE.format(name=name) + '\n'.join(lines) + '\n')
        anchor = folder / f'{bundle.get("id")}.anchor'
        anchor.write_text('\n'.join(line for line in lines if ' DNSKEY 257 ' in line) + '\n')
        wrong = complaints(zone, anchor, _time(bundle.findtext('Inception').strip()))
        assert not wrong, '\n'.join(wrong)
        good += len(bundle.findall('Signature'))
    return good


def complaints(zone, anchor, time):
    """What ldns-verify-zone says against the DNSKEY RRset of a zone at a time.

    It must have got as far as the unsigned NS, or it checked nothing.
    """
    done = subprocess.run(['ldns-verify-zone', '-t', time, '-k', str(anchor), str(zone)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wrong = [line for line in done.stdout.splitlines()
             if 'DNSKEY' in line and line.startswith('Error')]
    if not wrong and 'no signatures for' not in done.stdout:
        wrong = [done.stdout or 'ldns-verify-zone said nothing']
    return wrong
