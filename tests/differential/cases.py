# SPDX-License-Identifier: ISC
"""What mutants are made of: a zone with three KSKs, two quarters of it, and a
configuration; in three stages of a rollover."""
import copy
import datetime
import pathlib
from dataclasses import dataclass, field

import documents as d
from tokens import PIN, SOFTHSM, Hsm

DOMAIN, BUNDLES, STEP, LENGTH = 'example.', 4, 10 * d.DAY, 21 * d.DAY
MNEMONICS = {13: 'ECDSAP256SHA256', 14: 'ECDSAP384SHA384', 15: 'ED25519'}
STATED = {'PublishSafety': 10, 'RetireSafety': 10, 'MaxSignatureValidity': 21, 'MinSignatureValidity': 21,
          'MaxValidityOverlap': 12, 'MinValidityOverlap': 9}
OURS = {**STATED, 'MaxValidityOverlap': 16}


@dataclass
class Case:
    """What one run is given; response is what a signer without rules makes."""
    config: dict
    previous: d.Document
    request: d.Document
    pairs: dict
    now: int
    response: d.Document = None
    mutant: d.Document = None       # of the response, where that is mutated
    texts: dict = field(default_factory=dict)   # in place of what would be written

    response_domain = DOMAIN


def slot(sign, publish=(), revoke=()):
    made = {'publish': [*[name for name in sign if name not in revoke], *publish], 'sign': list(sign)}
    return {**made, 'revoke': list(revoke)} if revoke else made


# What the quarter before had, and what this one has.
STAGES = {
    'normal': ([slot(['old'])] * 4, [slot(['old'])] * 4),
    'pre-publish': ([slot(['old'])] * 4, [slot(['old'])] + [slot(['old'], ['new'])] * 3),
    'rollover': ([slot(['old'])] + [slot(['old'], ['new'])] * 3,
                 [slot(['old'], ['new'])] + [slot(['new'], ['old'])] * 3),
    'revoke': ([slot(['old'], ['new'])] + [slot(['new'], ['old'])] * 3,
               [slot(['new'], ['old'])] + [slot(['old', 'new'], [], ['old'])] * 2 + [slot(['new'])]),
    'both': ([slot(['new', 'old'])] * 4, [slot(['new', 'old'])] * 2 + [slot(['new'], ['old'])] * 2),
}


class World:
    """The keys and the token, made once."""

    def __init__(self, folder, programs):
        self.hsm = Hsm(folder, programs)
        self.hsm.make_token()
        self.folder = folder
        self.tags = set()
        self.ksks = {name: self._pair(name) for name in ('old', 'new', 'idle')}
        self.ksks['other'] = self._pair('other', 15)
        self.zsks = {f'zsk-{number}': self._pair(f'zsk-{number}') for number in range(4)}
        self.strangers = {name: self._pair(name, algorithm) for name, algorithm in
                          (('mallory', 13), ('trudy', 13), ('zsk-9', 13), ('zsk-14', 14), ('zsk-15', 15))}
        self.pairs = {**self.ksks, **self.zsks, **self.strangers}
        for number, (name, pair) in enumerate(self.ksks.items(), 1):
            path = pathlib.Path(folder) / f'{name}.pem'
            path.write_bytes(pair.pem())
            self.hsm.tool('--import', str(path), '--token', 'T1', '--label', name, '--id', f'0{number}', '--pin', PIN)
        midnight = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        self.now = int(midnight.timestamp())
        self.stages = {name: self._make(*stage) for name, stage in STAGES.items()}

    def _pair(self, name, algorithm=13):
        """A key that shares no tag, in any form, with one that is there."""
        while True:
            pair = d.Pair(name, algorithm)
            tags = {d.tag_of(pair.record(flags)) for flags in (d.ZSK, d.KSK, d.REVOKED)}
            if len(tags) == 3 and not tags & self.tags:
                self.tags |= tags
                return pair

    def config(self, schema):
        keys = {name: {'label': name, 'algorithm': MNEMONICS[pair.algorithm],
                       'key_tag': d.tag_of(pair.record(d.KSK)), 'ds_sha256': pair.ds(DOMAIN),
                       'valid_from': '2020-01-01T00:00:00Z'} for name, pair in self.ksks.items()}
        durations = {name: d.duration_text(days * d.DAY) for name, days in OURS.items()}
        return {
            'hsm': {'soft': {'module': SOFTHSM, 'pin': PIN, 'env': {'SOFTHSM2_CONF': str(self.hsm.conf)}}},
            'keys': keys,
            'request_policy': {
                'acceptable_domains': [DOMAIN], 'num_bundles': BUNDLES,
                'approved_algorithms': sorted(MNEMONICS.values()), 'enable_unsupported_ecdsa': True,
                'enable_unsupported_edwards_dsa': True, 'min_cycle_inception_length': 'P30D',
                'max_cycle_inception_length': 'P30D', 'num_keys_per_bundle': [2, 1, 1, 2],
                'num_different_keys_in_all_bundles': 3, 'signature_horizon_days': 180},
            'response_policy': {'num_bundles': BUNDLES},
            'ksk_policy': {'signers_name': DOMAIN, 'ttl': 172800, 'publish_safety': durations['PublishSafety'],
                           'retire_safety': durations['RetireSafety'],
                           'max_signature_validity': durations['MaxSignatureValidity'],
                           'min_signature_validity': durations['MinSignatureValidity'],
                           'max_validity_overlap': durations['MaxValidityOverlap'],
                           'min_validity_overlap': durations['MinValidityOverlap']},
            'schemas': {'normal': {str(number): copy.deepcopy(each) for number, each in enumerate(schema, 1)}}}

    def _request(self, quarter):
        start = self.now + (quarter - 1) * BUNDLES * STEP
        durations = {name: days * d.DAY for name, days in STATED.items()}
        made = d.Document('Request', f'quarter-{quarter}', DOMAIN, quarter, d.Policy(durations, [(13, 256)]))
        for number in range(BUNDLES):
            begin = start + number * STEP
            bundle = d.Bundle(f'bundle-{quarter}-{number + 1}', begin, begin + LENGTH)
            names = {0: [quarter, quarter + 1], BUNDLES - 1: [quarter + 1, quarter + 2]}.get(number, [quarter + 1])
            pairs = [self.zsks[f'zsk-{each}'] for each in names]
            bundle.keys = [d.make_key(pair, d.ZSK, 172800) for pair in pairs]
            bundle.signatures = [d.make_signature(made, bundle, pair, d.ZSK) for pair in pairs]
            made.bundles.append(bundle)
        return made

    def _make(self, before, after):
        import rules
        first = Case(self.config(before), None, self._request(0), self.pairs, self.now)
        previous = rules.answer(first)
        case = Case(self.config(after), previous, self._request(1), self.pairs, self.now)
        case.response = rules.answer(case)
        return case

    def case(self, stage):
        """A copy to be mutated; keys are shared."""
        made = self.stages[stage]
        return Case(copy.deepcopy(made.config), made.previous.copy(), made.request.copy(), made.pairs, made.now,
                    made.response.copy())
