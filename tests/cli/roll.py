# SPDX-License-Identifier: ISC
"""A change of the algorithm, for tests: a rehearsal with a KSK of RSASHA256, one of
ECDSAP256SHA256 and another of RSASHA256, and what slots state in its phases."""
import datetime
import json
import re

import signedzone
from rehearsal import Rehearsal, today, use

RSA, EC = 'RSASHA256', 'ECDSAP256SHA256'
BOTH = [RSA, EC]
NUMBERS = {RSA: 8, EC: 13}
LONG = 'P365D'


def slot(*sign, published, signing=None, only=(), **more):
    """One slot that states its algorithms; zsks, begins, ends as they are."""
    lists = {name: more.pop(name) for name in ('zsks', 'begins', 'ends') if name in more}
    return {**use(*sign, **more), **({'sign_only': list(only)} if only else {}),
            'algorithms': {'published': published, 'signing': signing or published, **lists}}


DOUBLE = slot('rsa', 'ec', published=BOTH)
BEGIN = slot('rsa', 'ec', published=BOTH, begins=[EC])
PRESIGN = slot('rsa', only=['ec'], published=[RSA], signing=BOTH)
REVOKE = slot('ec', revoke=['rsa'], published=BOTH)
AFTER = slot('ec', only=['rsa'], published=[EC], signing=BOTH)
BACK = slot('rsa', published=[RSA], ends=[EC])


class Roll(Rehearsal):
    """Quarters of three bundles, in a folder that can be copied and continued."""

    def __init__(self, folder, programs):
        super().__init__(folder, programs, bundles=3, start=today() - datetime.timedelta(days=200))
        self.add_ksk('rsa', 8)
        self.add_ksk('ec', 13)
        self.add_ksk('rsa2', 8)
        self.states, self.kept = {}, {}
        self.ksk_policy = {'max_signature_validity': LONG, 'min_signature_validity': LONG,
                           'max_validity_overlap': LONG, 'min_validity_overlap': 'P300D'}
        self.policy = {'rsa_approved_key_sizes': [2048]}

    def zsk(self, algorithm, number=-1):
        """The zone signing key of that algorithm in a bundle of the last response."""
        bundle = signedzone.bundles(self.response.read_text())[number]
        found, = [key for key in bundle.findall('Key')
                  if key.findtext('Flags') == '256' and key.findtext('Algorithm') == str(NUMBERS[algorithm])]
        return found

    def zsk_name(self, algorithm):
        return self.zsk(algorithm).get('keyIdentifier')

    def configure(self, schema, request, **more):
        """Policies of the algorithms that the request has, each with its numbers."""
        bundles = [re.findall(r'<Key keyIdentifier="([^"]+)".*?<Algorithm>(\d+)<', bundle, re.S)
                   for bundle in request.read_text().split('<RequestBundle ')[1:]]
        policies = {}
        for name, number in NUMBERS.items():
            each = [[key for key, of in bundle if of == str(number)] for bundle in bundles]
            policies[name] = {'num_keys_per_bundle': [len(keys) for keys in each],
                              'num_different_keys_in_all_bundles': len({key for keys in each for key in keys})}
        policies[RSA]['rsa_approved_key_sizes'] = [1536]
        return super().configure(schema, request, algorithms=policies, **more)

    def quarter(self, schema, *options):
        """Asked for, signed, and judged by skrcheck with all that there is."""
        self.ask('--validity', LONG, '--interval', 'P10D', *options)
        self.configure(schema, self.request)
        anchor = self.anchor()
        checked = self.hsm.run('ksrcheck', *self.chain(), self.request.name)
        assert checked.status == 0, checked.out + checked.err
        folder = f'log-{self.count}'
        (self.folder / folder).mkdir()
        done = self.hsm.run('ksrsigner', '--force', '--log-dir', folder, *self.chain(), self.request.name,
                            f'skr-{self.count}.xml')
        assert done.status == 0, done.err + done.out
        self.response = self.folder / f'skr-{self.count}.xml'
        log, = (self.folder / folder).iterdir()
        judged = self.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', *self.chain(), '--anchor', anchor.name,
                              '--log', str(log), self.request.name, self.response.name)
        assert judged.status == 0 and (judged.out.endswith('\nPASS\n') or not self.previous), judged.out + judged.err
        self.sizes = dict(re.findall(r'^(\d+) +DNSKEY (\d+) bytes', done.out, re.M))
        return self.response

    def keep(self, name):
        """Everything of the quarter that was just signed, for tests that change a thing of it."""
        (self.folder / f'{name}.yaml').write_text((self.folder / 'ksrsigner.yaml').read_text())
        self.kept[name] = (self.chain(), self.request.name, self.response.name)

    def again(self, name, program, change=lambda sections: None, skr=None, anchor=None, previous=None, options=()):
        """Have a program look at that quarter once more, with a configuration that differs."""
        chain, ksr, response = self.kept[name]
        sections = json.loads((self.folder / f'{name}.yaml').read_text())
        change(sections)
        (self.folder / 'again.yaml').write_text(json.dumps(sections))
        files = {'ksrsigner': [ksr, 'again.xml'], 'skrcheck': [ksr, skr or response], 'ksrcheck': [ksr]}[program]
        options = [*options, '--force'] if program == 'ksrsigner' else ['--anchor', anchor] if anchor else []
        if previous:
            chain = ['--previous-skr', previous]
        return self.hsm.run(program, '--config', 'again.yaml', *options, *chain, *files)

    def state(self, name, number, also=()):
        """The zone as the bundle of that number makes it."""
        bundle = signedzone.bundles(self.response.read_text())[number - 1]
        size = self.sizes.get(str(number))
        self.states[name] = (signedzone.make(self, bundle, self.folder / f'signed-{name}', also=also), size)

    def branch(self):
        """Where the roll is now, to be continued in another way."""
        return self.previous, self.response, self.count

    def go_back(self, branch):
        self.previous, self.response, _ = branch
