# SPDX-License-Identifier: ISC
"""Whole quarters, from ksrgen's request through SoftHSM to the response: every
algorithm, every schema, a rollover of the KSK and one of the algorithm, a zone
that is not the root.  Each response is put before skrcheck, and before
ldns-verify-zone, which knows nothing of this project."""
import datetime
import itertools

import pytest

import dnssec
from rehearsal import MNEMONICS, Rehearsal, use


@pytest.fixture
def rehearse(tmp_path, programs):
    numbers = itertools.count(1)

    def make(**settings):
        folder = tmp_path / f'zone-{next(numbers)}'
        folder.mkdir()
        return Rehearsal(folder, programs, **settings)

    return make


def judge(zone):
    """skrcheck and ldns on the last response; the number of good signatures."""
    zone.anchor()
    log = max(zone.folder.glob('ksrsigner-*.log'), key=lambda path: path.stat().st_mtime_ns)
    done = zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', *zone.chain(), '--log', log.name, '--anchor',
                        f'anchor-{zone.count}.xml', zone.request.name, zone.response.name)
    assert done.status == 0, done.out
    return dnssec.validate(zone.response.read_text(), zone.folder / f'ldns-{zone.count}')


@pytest.mark.parametrize('algorithm', sorted(MNEMONICS))
def test_algorithm_end_to_end(rehearse, algorithm):
    """Request, check, signature, response, trust anchor; and the next quarter."""
    zone = rehearse(algorithm=algorithm, bundles=3)
    zone.add_ksk('ksk')
    for _ in range(2):
        zone.quarter(zone.normal('ksk'))
        assert judge(zone) == 3
        text = zone.response.read_text()
        assert text.count(f'<Algorithm>{algorithm}</Algorithm>') == text.count('<Algorithm>')
    anchor = zone.anchor().read_text()
    assert f'<Algorithm>{algorithm}</Algorithm>' in anchor
    assert zone.keys['ksk']['ds_sha256'] in anchor


def test_ksk_rollover(rehearse):
    """All schemas and their extensions, one after another: a new KSK is published,
    takes over, and the old one is revoked and gone, each quarter chained."""
    zone = rehearse(algorithm=13, bundles=9)
    zone.add_ksk('old')
    zone.add_ksk('new')
    expected = [(zone.normal('old'), 9), (zone.pre_publish('old', 'new'), 9),
                (zone.publish_more('old', 'new'), 9), (zone.rollover('old', 'new'), 9),
                (zone.rollover_more('old', 'new'), 9), (zone.revoke('old', 'new'), 16),
                (zone.revoke_more('old', 'new'), 16), (zone.normal('new'), 9)]
    for schema, signatures in expected:
        zone.quarter(schema)
        assert judge(zone) == signatures
    assert '"old"' not in zone.response.read_text()


def test_ksk_rollover_in_three_quarters(rehearse):
    """The shortest one: pre-publish, rollover, revoke."""
    zone = rehearse(algorithm=13, bundles=9)
    zone.add_ksk('old')
    zone.add_ksk('new')
    for schema, signatures in [(zone.pre_publish('old', 'new'), 9), (zone.rollover('old', 'new'), 9),
                               (zone.revoke('old', 'new'), 16)]:
        zone.quarter(schema)
        assert judge(zone) == signatures
    last = zone.response.read_text().split('<ResponseBundle ')[-1]
    assert '"new"' in last and '"old"' not in last


def test_rollover_that_was_not_published_is_refused(rehearse):
    """The counterpart: the new key signs at once, without publication before."""
    zone = rehearse(algorithm=13, bundles=9)
    zone.add_ksk('old')
    zone.add_ksk('new')
    zone.quarter(zone.normal('old'))
    zone.ask()
    zone.configure(zone.normal('new'), zone.request)
    done = zone.sign()
    assert done.status == 1
    assert 'FAIL SKR-POLICY-PUBLISH-SAFETY' in done.out and 'FAIL SKR-POLICY-RETIRE-SAFETY' in done.out
    assert not (zone.folder / 'skr-2.xml').exists()


def test_algorithm_rollover(rehearse):
    """From RSASHA256 to ECDSAP256SHA256: the new algorithm comes with both its
    keys in one bundle, stays beside the old for a quarter, and the old leaves
    with both its keys after its KSK was revoked.  In each bundle the algorithms
    of the ZSKs and of the signatures are the same (RFC 6840 section 5.11)."""
    zone = rehearse(algorithm=8, bundles=9)
    zone.add_ksk('rsa', 8)
    zone.add_ksk('ecdsa', 13)
    both = use('rsa', 'ecdsa')
    revoked = use('ecdsa', revoke=['rsa'])

    zone.quarter(zone.normal('rsa'), '--roll', 'none')
    assert judge(zone) == 9
    # A key of a new algorithm signs at once, or no validator could tell what is
    # missing; it is not published before.
    zone.policy = {'check_keys_publish_safety': False}
    zone.quarter(zone.slots((1, use('rsa')), (-1, both)), '--roll', 'end', '--algorithm', '13')
    assert judge(zone) == 10
    zone.policy = {}
    zone.quarter(zone.slots((1, both)), '--roll', 'none')
    assert judge(zone) == 18
    zone.quarter(zone.slots((1, both), (2, revoked)), '--roll', 'none')
    assert judge(zone) == 18
    zone.quarter(zone.slots((1, revoked), (2, use('ecdsa'))), '--roll', 'begin', '--retire',
                 zsk(zone, 8))
    assert judge(zone) == 10
    zone.quarter(zone.normal('ecdsa'), '--roll', 'end')
    assert judge(zone) == 9
    assert '<Algorithm>8<' not in zone.response.read_text()


def zsk(zone, algorithm):
    """The name of the one key of that algorithm in the folder."""
    name, = (path.stem for path in (zone.folder / 'zsk').glob(f'zsk-{algorithm}-*.pem'))
    return name


def test_lone_algorithm_is_refused(rehearse):
    """The counterpart: a ZSK of an algorithm that no KSK signs with."""
    zone = rehearse(algorithm=8, bundles=3)
    zone.add_ksk('rsa', 8)
    zone.quarter(zone.normal('rsa'), '--roll', 'none')
    zone.ask('--roll', 'end', '--algorithm', '13')
    zone.configure(zone.normal('rsa'), zone.request)
    done = zone.sign()
    assert done.status == 1
    assert 'FAIL SKR-ALGORITHMS' in done.out


def test_top_level_domain(rehearse):
    """example., P-256, four bundles: one label, another owner and signer."""
    zone = rehearse(domain='example.', algorithm=13, bundles=4)
    zone.add_ksk('ksk')
    zone.quarter(zone.normal('ksk'))
    assert judge(zone) == 4
    text = zone.response.read_text()
    assert 'domain="example."' in text
    assert text.count('<Labels>1</Labels>') == text.count('<SignersName>example.</SignersName>') == 4
    assert '<Zone>example.</Zone>' in zone.anchor().read_text()
    zone.quarter(zone.normal('ksk'))
    assert judge(zone) == 4


def test_other_interval_and_validity(rehearse):
    """Nothing is bound to ten days and three weeks."""
    zone = rehearse(domain='dept.example.', algorithm=15, bundles=5,
                    start=datetime.datetime(2027, 2, 25, 12, 30))
    zone.policy = {'check_cycle_length': False, 'min_bundle_interval': 'P1D', 'max_bundle_interval': 'P1DT1S'}
    zone.ksk_policy = {'max_signature_validity': 'P3D', 'min_signature_validity': 'P3D',
                       'publish_safety': 'PT0S', 'retire_safety': 'PT0S', 'ttl': 3600,
                       'min_validity_overlap': 'P1D', 'max_validity_overlap': 'P3D'}
    zone.add_ksk('ksk')
    shape = ['--interval', 'P1D', '--validity', 'P3D', '--ttl', '3600']
    for _ in range(2):
        zone.quarter(zone.normal('ksk'), *shape)
        assert judge(zone) == 5
    text = zone.response.read_text()
    assert text.count('<Labels>2</Labels>') == 5
    assert '<Inception>2027-03-02T12:30:00+00:00</Inception>' in text
