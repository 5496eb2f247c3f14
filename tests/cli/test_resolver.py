# SPDX-License-Identifier: ISC
"""The last word have programs that never heard of this project: a zone built
around a response is valid for dnssec-verify and ldns-verify-zone, and a resolver
(unbound, asking nsd) answers with AD through a rollover of the KSK, believing
nothing but the file that trustanchor wrote.  And it refuses to, with the anchor
of another time, outside of the bundle's time, or when a record was touched."""
import datetime
import re
import shutil
import subprocess

import pytest

import resolver
import signedzone
from rehearsal import Rehearsal

NEEDED = {'nsd': 'nsd', 'unbound': 'unbound', 'ldns-signzone': 'ldnsutils', 'drill': 'ldnsutils',
          'dnssec-verify': 'bind9-utils'}


@pytest.fixture(autouse=True)
def tools():
    missing = {package for tool, package in NEEDED.items()
               if not shutil.which(tool, path='/usr/sbin:/usr/bin:/sbin:/bin')}
    if missing:
        pytest.fail(f'not installed: {", ".join(sorted(missing))}')


def time_in(bundle, days=5):
    start = datetime.datetime.fromisoformat(bundle.findtext('Inception')[:19])
    return (start + datetime.timedelta(days=days)).strftime('%Y%m%d%H%M%S')


@pytest.mark.parametrize('domain, algorithm', [('.', 8), ('.', 13), ('example.', 13), ('.', 14), ('.', 15)])
def test_zone_is_valid_now(tmp_path, programs, domain, algorithm):
    """dnssec-verify knows no other time than now, which is in the first bundle."""
    zone = Rehearsal(tmp_path, programs, domain=domain, algorithm=algorithm, bundles=3)
    zone.add_ksk('ksk')
    zone.quarter(zone.normal('ksk'))
    bundle = signedzone.bundles(zone.response.read_text())[0]
    signed = signedzone.make(zone, bundle, tmp_path / 'signed')
    verified = subprocess.run(['dnssec-verify', '-o', domain, signed], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
    assert verified.returncode == 0, verified.stdout
    assert 'Zone fully signed' in verified.stdout
    anchor = tmp_path / 'anchor.ds'
    anchor.write_text('\n'.join(signedzone.anchor_records(zone.anchor())) + '\n')
    verified = subprocess.run(['ldns-verify-zone', '-k', anchor, signed], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
    assert verified.returncode == 0, verified.stdout
    assert 'Zone is verified and complete' in verified.stdout
    # The counterpart: the same tools see a signature of another bundle.
    other = signedzone.bundles(zone.response.read_text())[1].findtext('Signature/SignatureData')
    text = signed.read_text()
    assert bundle.findtext('Signature/SignatureData') in text
    signed.write_text(text.replace(bundle.findtext('Signature/SignatureData'), other))
    for command in (['dnssec-verify', '-o', domain, signed], ['ldns-verify-zone', '-k', anchor, signed]):
        assert subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60).returncode


@pytest.fixture(scope='module')
def rollover(tmp_path_factory, programs):
    """Three quarters of a root zone in which the KSK goes from old to new; it is revoked
    in two bundles, longer than RetireSafety, before it is gone."""
    zone = Rehearsal(tmp_path_factory.mktemp('root'), programs, algorithm=13, bundles=4)
    zone.add_ksk('old')
    zone.add_ksk('new')
    zone.stages = {}
    for name, schema in [('published', zone.pre_publish('old', 'new')), ('rolled', zone.rollover('old', 'new')),
                         ('revoked', zone.revoke('old', 'new'))]:
        zone.quarter(schema)
        zone.stages[name] = signedzone.bundles(zone.response.read_text())
    zone.anchors = {name: signedzone.anchor_records(zone.anchor(*name.split())) for name in ('old', 'new', 'old new')}
    zone.signed = {}
    for name, found in zone.stages.items():
        zone.signed[name] = signedzone.make(zone, found[1], zone.folder / f'signed-{name}')
    return zone


def look_up(zone, stage, anchor, folder, days=5, change=None):
    """What a client is told by a resolver with that anchor in that stage."""
    signed = zone.signed[stage]
    folder.mkdir(exist_ok=True)
    if change:
        text = change(signed.read_text())
        assert text != signed.read_text()
        signed = folder / 'touched.zone'
        signed.write_text(text)
    with resolver.serve(signed, zone.domain, folder) as upstream:
        with resolver.resolve(upstream, zone.domain, zone.anchors[anchor], time_in(zone.stages[stage][1], days),
                              folder) as port:
            return resolver.ask(port, 'www.rehearsal.'), resolver.ask(port, 'no.rehearsal.')


@pytest.mark.parametrize('stage, anchor', [('published', 'old'), ('published', 'old new'), ('rolled', 'new'),
                                           ('rolled', 'old new'), ('revoked', 'new')])
def test_client_gets_authentic_answers_through_a_rollover(rollover, tmp_path, stage, anchor):
    found, denied = look_up(rollover, stage, anchor, tmp_path)
    assert found.is_authentic and '192.0.2.1' in found.text, found.text
    assert denied.rcode == 'NXDOMAIN' and 'ad' in denied.flags, denied.text


@pytest.mark.parametrize('stage, anchor', [('published', 'new'), ('rolled', 'old'), ('revoked', 'old')])
def test_client_with_the_anchor_of_another_time_gets_nothing(rollover, tmp_path, stage, anchor):
    """So the swap of the file is what carries a resolver over."""
    found, _ = look_up(rollover, stage, anchor, tmp_path)
    assert found.rcode == 'SERVFAIL' and '192.0.2.1' not in found.text


@pytest.mark.parametrize('days', [-3, 24])
def test_client_outside_of_the_bundle_gets_nothing(rollover, tmp_path, days):
    """Resolvers allow for a day (val-sig-skew-max)."""
    assert look_up(rollover, 'published', 'old', tmp_path, days)[0].rcode == 'SERVFAIL'


@pytest.mark.parametrize('change', [
    lambda text: text.replace('192.0.2.1', '192.0.2.2'),
    lambda text: re.sub(r'^(\. \d+ IN RRSIG DNSKEY .*[/+A-Za-z0-9]{20})(.)', lambda found: found.group(1) + (
        'A' if found.group(2) != 'A' else 'B'), text, flags=re.M),
])
def test_client_of_a_zone_that_was_touched_gets_nothing(rollover, tmp_path, change):
    assert look_up(rollover, 'published', 'old', tmp_path, change=change)[0].rcode == 'SERVFAIL'
