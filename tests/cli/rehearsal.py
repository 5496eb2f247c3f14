# SPDX-License-Identifier: ISC
"""A rehearsal of ceremonies, for tests: a zone, its KSKs in a SoftHSM token, its
ZSKs in a folder, and quarters that ksrgen asks for and ksrsigner signs, each
chained to the one before.  Nothing here comes from outside the project.

    zone = Rehearsal(tmp_path, programs, domain='example.', bundles=4)
    zone.add_ksk('old', 13)
    zone.quarter(zone.normal('old'))        # Path of the response
"""
import datetime
import json
import re

from tokens import PIN, Hsm, needs_softhsm

MNEMONICS = {8: 'RSASHA256', 10: 'RSASHA512', 13: 'ECDSAP256SHA256', 14: 'ECDSAP384SHA384',
             15: 'ED25519', 16: 'ED448'}


def today():
    """The last midnight, UTC: what begins then is valid now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


class Rehearsal:
    def __init__(self, folder, programs, domain='.', bundles=9, algorithm=8, start=None):
        needs_softhsm()
        self.hsm = Hsm(folder, programs)
        self.hsm.make_token()
        self.folder, self.domain, self.bundles, self.algorithm = folder, domain, bundles, algorithm
        self.start = start or today()
        self.keys, self.policy, self.ksk_policy = {}, {}, {}
        self.count = 0      # of quarters
        self.request = None  # the last request, its response and schema
        self.response = None
        self.previous = None  # the response that it was chained to

    # Keys

    def add_ksk(self, name, algorithm=None, **more):
        """A new key in the token, labelled like its name in the configuration."""
        algorithm = algorithm or self.algorithm
        self.hsm.configure(rest=json.dumps({'ksk_policy': {'signers_name': self.domain}})[1:-1] + '\n')
        size = ['--size', '2048'] if algorithm < 13 else []
        made = self.hsm.run('keymaster', 'keygen', '--algorithm', MNEMONICS[algorithm], '--label', name, *size)
        assert made.status == 0, made.err
        return self.know_ksk(name, made.out, algorithm, **more)

    def know_ksk(self, name, records, algorithm, **more):
        """A key that is in the token; records has its DS in presentation form."""
        tag, digest = re.search(r' IN DS (\d+) \d+ 2 ([0-9A-Fa-f]{64})', records).groups()
        self.keys[name] = {'label': name, 'algorithm': MNEMONICS[algorithm], 'key_tag': int(tag),
                           'ds_sha256': digest.upper(), 'valid_from': '2020-01-01T00:00:00Z', **more}

    # Schemas: a list with a slot for each bundle

    def slots(self, *ranges):
        """slots((1, slot), (9, slot)): each slot holds from that bundle on; -1 is the last."""
        filled, ranges = [], [(self.bundles if at == -1 else at, slot) for at, slot in ranges]
        for number in range(1, self.bundles + 1):
            filled.append([slot for at, slot in ranges if at <= number][-1])
        return filled

    def normal(self, key):
        return self.slots((1, use(key)))

    def pre_publish(self, old, new):
        return self.slots((1, use(old)), (2, use(old, publish=[new])))

    def publish_more(self, old, new):
        return self.slots((1, use(old, publish=[new])))

    def rollover(self, old, new):
        return self.slots((1, use(old, publish=[new])), (2, use(new, publish=[old])))

    def rollover_more(self, old, new):
        return self.slots((1, use(new, publish=[old])))

    def revoke(self, old, new):
        return self.slots((1, use(new, publish=[old])), (2, use(new, revoke=[old])), (-1, use(new)))

    def revoke_more(self, old, new):
        return self.slots((1, use(new)), (2, use(new, revoke=[old])), (-1, use(new)))

    # Quarters

    def configure(self, schema, request, **more):
        """The configuration for one request: as strict as the request allows."""
        keys = [re.findall(r'<Key keyIdentifier="([^"]+)"', bundle)
                for bundle in request.read_text().split('<RequestBundle ')[1:]]
        cycle = f'P{10 * (len(keys) - 1)}D'
        policy = {
            'acceptable_domains': [self.domain], 'num_bundles': len(keys),
            'approved_algorithms': sorted(MNEMONICS.values()),
            'enable_unsupported_ecdsa': True, 'enable_unsupported_edwards_dsa': True,
            'min_cycle_inception_length': cycle, 'max_cycle_inception_length': cycle,
            'num_keys_per_bundle': [len(each) for each in keys],
            'num_different_keys_in_all_bundles': len({one for each in keys for one in each}),
            'signature_horizon_days': 3000, **self.policy, **more}
        sections = {
            'hsm': {'soft': {'module': '/usr/lib/softhsm/libsofthsm2.so', 'pin': PIN,
                             'env': {'SOFTHSM2_CONF': str(self.hsm.conf)}}},
            'keys': self.keys, 'request_policy': policy,
            'response_policy': {'num_bundles': self.bundles},
            'ksk_policy': {'signers_name': self.domain, 'publish_safety': 'P10D', 'retire_safety': 'P10D',
                           **self.ksk_policy},
            'schemas': {'normal': {str(i): slot for i, slot in enumerate(schema, 1)}}}
        path = self.folder / 'ksrsigner.yaml'
        # JSON is YAML, too.
        path.write_text(json.dumps(sections, indent=1))
        return path

    def ask(self, *options):
        """The next request, chained to the last response."""
        self.count += 1
        self.request = self.folder / f'ksr-{self.count}.xml'
        self.previous = self.response
        chained = ['--previous', self.response.name] if self.response else \
            ['--start', self.start.isoformat(), '--domain', self.domain,
             '--algorithm', str(self.algorithm)]
        # A ZSK with the tag of a KSK, or of a revoked one, is refused, rightly.
        taken = {str((key['key_tag'] + more) % 65536) for key in self.keys.values() for more in (0, 128, 129)}
        while True:
            before = set(self.folder.glob('zsk/*'))
            done = self.hsm.run('ksrgen', '--keys', 'zsk', '--bundles', str(self.bundles), *chained, *options,
                                self.request.name)
            assert done.status == 0, done.err
            made = set(self.folder.glob('zsk/*')) - before
            if not made or not taken & set(re.findall(r'keyTag="(\d+)"', self.request.read_text())):
                return self.request
            for path in [*made, self.request]:
                path.unlink()

    def chain(self):
        """How ksrsigner, ksrcheck and skrcheck are told of the response before."""
        return ['--previous-skr', self.previous.name] if self.previous else \
            ['--no-previous-skr', 'first quarter of a rehearsal']

    def sign(self):
        """Have the request signed; what ksrsigner did."""
        return self.hsm.run('ksrsigner', '--force', *self.chain(), self.request.name,
                            f'skr-{self.count}.xml')

    def quarter(self, schema, *options):
        """One quarter from request to response."""
        self.ask(*options)
        self.configure(schema, self.request)
        done = self.sign()
        assert done.status == 0, done.err + done.out
        self.response = self.folder / f'skr-{self.count}.xml'
        return self.response

    def anchor(self, *names):
        """The file that trustanchor writes for the keys of these names, or for all."""
        path = self.folder / f'anchor-{"-".join(names) or self.count}.xml'
        keys = {name: self.keys[name] for name in names or self.keys}
        sections = json.loads((self.folder / 'ksrsigner.yaml').read_text())
        config = {name: sections[name] for name in ('hsm', 'ksk_policy')} | {'keys': keys}
        (self.folder / 'anchor.yaml').write_text(json.dumps(config))
        done = self.hsm.run('trustanchor', '--config', 'anchor.yaml', '--trustanchor', path.name, '--id', 'REHEARSAL')
        assert done.status == 0, done.err
        return path


def use(*sign, publish=(), revoke=()):
    """What one slot of a schema says."""
    slot = {'sign': [*sign, *revoke], 'publish': [*sign, *publish]}
    return {**slot, 'revoke': list(revoke)} if revoke else slot
