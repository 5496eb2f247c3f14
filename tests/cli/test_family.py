# SPDX-License-Identifier: ISC
"""Shows: one command signs the responses for use, for the next phase and for going
back, all of them or none, each against the one that it would follow; no line of
one can be taken for a line of another; and a response where another belongs is
refused, with words that say which it is.  Matters: the sealed ones lie in a safe
for months, and the day on which one is taken out is a bad day."""
import json
import re
import shutil

import pytest

from rehearsal import Rehearsal, use
from roll import BEGIN, DOUBLE, EC, LONG, PRESIGN, Roll

FAMILY = {'use': {'schema': 'presign'}, 'next': {'schema': 'double', 'follows': 'use'},
          'backout': {'schema': 'stay'}}
SCHEMAS = {'presign': [use('rsa'), PRESIGN, BEGIN], 'double': [DOUBLE] * 3, 'stay': [use('rsa')] * 3}
FILES = {'use': 'use-skr-2.xml', 'next': 'next-skr-3.xml', 'backout': 'backout-skr-4.xml'}
REQUESTS = ['use=ksr-2.xml', 'next=ksr-3.xml', 'backout=ksr-4.xml']


@pytest.fixture(scope='module')
def prepared(tmp_path_factory, programs):
    """The response before, and three requests: the next one follows the first, the
    third asks for the time of the first once more."""
    roll = Roll(tmp_path_factory.mktemp('family'), programs)
    roll.quarter(roll.slots((1, use('rsa'))), '--size', '1536', '--roll', 'none')
    first = roll.response
    roll.ask('--validity', LONG, '--interval', 'P10D', '--roll', 'end', '--algorithm', EC)
    roll.response = roll.request
    roll.ask('--validity', LONG, '--interval', 'P10D', '--roll', 'none')
    roll.response = first
    roll.ask('--validity', LONG, '--interval', 'P10D', '--roll', 'none', '--serial', '7', '--id', 'for going back')
    path = roll.configure([use('rsa')] * 3, roll.request)
    sections = json.loads(path.read_text())
    sections['schemas'] = {name: {str(number): slot for number, slot in enumerate(schema, 1)}
                           for name, schema in SCHEMAS.items()}
    sections['families'] = {'2028q1': FAMILY}
    # The requests differ in their numbers of keys; each is right for its phase.
    del sections['request_policy']['num_keys_per_bundle']
    del sections['request_policy']['num_different_keys_in_all_bundles']
    sections['request_policy']['algorithms'] = {'RSASHA256': {'rsa_approved_key_sizes': [1536]}, EC: {}}
    path.write_text(json.dumps(sections))
    return roll


@pytest.fixture
def zone(prepared, tmp_path):
    for path in [*prepared.folder.glob('?sr-?.xml'), *prepared.folder.glob('skr-?.xml'),
                 prepared.folder / 'ksrsigner.yaml']:
        shutil.copy(path, tmp_path)

    class Zone:
        folder = tmp_path

        @staticmethod
        def run(program, *words, answers=None):
            prepared.hsm.folder, before = tmp_path, prepared.hsm.folder
            try:
                if answers is not None:
                    return prepared.hsm.converse(program, *words, answers=answers)
                return prepared.hsm.run(program, *words)
            finally:
                prepared.hsm.folder = before

        @classmethod
        def sign(cls, *words, requests=REQUESTS, answers=None):
            force = [] if answers is not None else ['--force']
            return cls.run('ksrsigner', *force, '--previous-skr', 'skr-1.xml', '--family', '2028q1', '--output-dir',
                           'out', *words, *requests, answers=answers)

        @classmethod
        def judge(cls, *words, **swapped):
            names = {**FILES, **{member: FILES[other] for member, other in swapped.items()}}
            return cls.run('skrcheck', '--config', 'ksrsigner.yaml', '--previous-skr', 'skr-1.xml', '--family', '2028q1',
                           *words, *[f'{request}=out/{names[request.split("=")[0]]}' for request in REQUESTS])

        @staticmethod
        def change(change):
            path = tmp_path / 'ksrsigner.yaml'
            sections = json.loads(path.read_text())
            change(sections)
            path.write_text(json.dumps(sections))

    return Zone


def test_family_is_signed_and_judged(zone):
    done = zone.sign()
    assert done.status == 0, done.err + done.out
    assert sorted(path.name for path in (zone.folder / 'out').iterdir()) == sorted(FILES.values())
    log, = zone.folder.glob('ksrsigner-*.log')
    judged = zone.judge('--log', log.name)
    assert judged.status == 0, judged.out
    assert len(re.findall(r'^PASS, but ', judged.out, re.M)) == 3  # no trust anchor
    assert judged.out.endswith('\nno FAIL in family 2028q1, of 3 members\n')
    for member, follows in (('USE', 'the previous SKR'), ('NEXT', 'USE'), ('BACKOUT', 'the previous SKR')):
        assert re.search(rf'^{member} of family 2028q1, with schema \w+, follows {follows}$', judged.out, re.M)


def test_each_response_is_the_one_that_it_would_be_alone(zone):
    """But for ECDSA, whose signatures differ each time: the one for going back is RSA alone."""
    assert zone.sign().status == 0
    done = zone.run('ksrsigner', '--force', '--previous-skr', 'skr-1.xml', '--schema', 'stay', 'ksr-4.xml', 'alone.xml')
    assert done.status == 0, done.err
    assert (zone.folder / 'alone.xml').read_bytes() == (zone.folder / 'out' / FILES['backout']).read_bytes()
    # Judged alone, with the log of the family.
    log = sorted(zone.folder.glob('ksrsigner-*.log'))[0]
    judged = zone.run('skrcheck', '--config', 'ksrsigner.yaml', '--previous-skr', 'skr-1.xml', '--schema', 'stay',
                      '--log', log.name, 'ksr-4.xml', f'out/{FILES["backout"]}')
    assert judged.status == 0, judged.out


def test_no_line_of_one_is_like_one_of_another(zone):
    """Each row has its mark, before and after signing; each hash stands below a line with its own."""
    done = zone.sign()
    rows = re.findall(r'^\d +\d{4}-.* (\d{5}\(.*)$', done.out, re.M)
    mine = [row for row in rows if re.search(r'  (USE|NEXT|BACKOUT)$', row)]
    # Shown to be confirmed and as they were made, and USE once more as what NEXT follows.
    assert sorted(row.split()[-1] for row in mine) == ['BACKOUT'] * 6 + ['NEXT'] * 6 + ['USE'] * 9
    assert len(rows) - len(mine) == 6  # the response before, twice
    parts = done.out.split('Generated new SKR in ')[1:]
    assert [re.match(r'out/\S+: (\S+) of family', part).group(1) for part in parts] == ['USE', 'NEXT', 'BACKOUT'], parts
    for title in re.findall(r'^(?:NEXT|BACKOUT) of family.*$', done.out, re.M):
        assert title.endswith('to be sealed, not for use')


@pytest.mark.parametrize('answers, words, status', [
    (['y', 'y', 'y'], [], 0), (['y', 'y', 'n'], [], 1), (['y', 'n'], [], 1), (['n'], [], 1),
    (['y'], ['--ask-once'], 0), (['n'], ['--ask-once'], 1)])
def test_all_or_none_by_one_question_each_or_one_for_all(zone, answers, words, status):
    done = zone.sign(*words, answers=[('(y/N)?', answer) for answer in answers])
    assert done.status == status, done.out
    assert (zone.folder / 'out').exists() == (status == 0)
    if words:
        # All is on the screen before the question: what each would be, and its hash.
        before = done.out.split('Is all of this correct')[0]
        assert before.count('SHA256 hash of KSR:') == 3 and '/O  USE' in before


@pytest.mark.parametrize('of', ['use', 'next', 'backout'])
def test_what_is_known_before_the_one_question_is_used_before_it(zone, of):
    """A key that is not the configured one, whichever member it is for."""
    def change(sections):
        key = {'use': 'rsa', 'next': 'ec', 'backout': 'rsa'}[of]
        sections['keys'][key]['ds_sha256'] = '00' * 32
    zone.change(change)
    done = zone.sign('--ask-once', answers=[])
    assert done.status == 1 and 'Is all of this correct' not in done.out, done.out
    assert 'FAIL KSK-IDENTITY' in done.out and 'configured ds_sha256' in done.out, done.out
    assert not (zone.folder / 'out').exists()


def test_one_that_is_refused_refuses_all(zone):
    """The member for going back, whose schema keeps the new key."""
    zone.change(lambda sections: sections['families']['2028q1']['backout'].update(schema='double'))
    done = zone.sign()
    assert done.status == 1 and not (zone.folder / 'out').exists(), done.out


@pytest.mark.parametrize('swapped, words', [
    ({'use': 'backout', 'backout': 'use'}, ['this is BACKOUT of family 2028q1, expected USE',
                                            'this is USE of family 2028q1, expected BACKOUT']),
    ({'backout': 'next'}, ['this is NEXT of family 2028q1, expected BACKOUT']),
    ({'next': 'use'}, ['this is USE of family 2028q1, expected NEXT']),
])
def test_response_where_another_belongs_is_named(zone, swapped, words):
    assert zone.sign().status == 0
    judged = zone.judge(**swapped)
    assert judged.status == 1
    # However the last member ends, the last line names those that fail.
    failed = [member.upper() for member in ('use', 'next', 'backout') if member in swapped]
    last = judged.out.splitlines()[-1]
    assert last.startswith('FAIL of family 2028q1: ') and set(failed) <= set(re.split('[:, ]+', last)), last
    for line in words:
        assert line in judged.out, judged.out


@pytest.mark.parametrize('expected, given, said', [
    ('use', 'backout', 'BACKOUT'), ('backout', 'use', 'USE'), ('use', 'use', None), ('use', 'before', 'BACKOUT')])
def test_next_quarter_says_which_it_follows(zone, expected, given, said):
    """The signer, ksrcheck and skrcheck, where the configuration says what must be there."""
    assert zone.sign().status == 0
    zone.change(lambda sections: sections['request_policy'].update(previous_member=f'2028q1.{expected}'))
    previous = 'skr-1.xml' if given == 'before' else f'out/{FILES[given]}'
    words = ['--config', 'ksrsigner.yaml', '--previous-skr', previous, '--schema', 'double', 'ksr-3.xml']
    for program, more, check in (('ksrcheck', [], 'KSR-CHAIN-KEYS'),
                                 ('skrcheck', [f'out/{FILES["next"]}'], 'POST-CHAIN')):
        done = zone.run(program, *words, *more)
        line = re.search(rf'the (?:previous response|response before) is (\S+) of family 2028q1, expected '
                         rf'{expected.upper()}', done.out + done.err)
        assert (line.group(1) if line else None) == said, done.out + done.err
        assert (f'FAIL {check}' in done.out) == (said is not None)


@pytest.mark.parametrize('words, said', [
    (REQUESTS[:2], 'backout of family 2028q1 has no request'),
    ([*REQUESTS, 'use=ksr-4.xml'], 'use of family 2028q1 has two requests'),
    ([*REQUESTS, 'other=ksr-4.xml'], 'expected MEMBER=KSR'),
    ([*REQUESTS[:2], 'ksr-4.xml'], 'expected MEMBER=KSR'),
    ([*REQUESTS[:2], 'backout='], 'expected MEMBER=KSR'),
    (['--schema', 'stay', *REQUESTS], '--schema and --family exclude each other'),
    (['--chain', *REQUESTS], '--chain and --family exclude each other'),
    (['--output-names', 'a,b,c', *REQUESTS], '--output-names goes with --chain'),
])
def test_misuse_is_refused_before_anything(zone, words, said):
    done = zone.sign(requests=words)
    assert done.status == 2 and said in done.err, done.err
    assert not (zone.folder / 'out').exists()


@pytest.mark.parametrize('words, said', [
    ([], 'use of family 2028q1 is missing'), (['use=ksr-2.xml'], 'expected MEMBER=KSR=SKR'),
    (['use=ksr-2.xml='], 'expected MEMBER=KSR=SKR'), (['other=a=b'], 'no such member'),
    (['use=a=b', 'use=a=b'], 'the second one of this member'),
    (['--zone', 'use=a=b'], 'goes without'), (['--schema', 'stay', 'use=a=b'], 'goes without')])
def test_misuse_of_skrcheck_is_refused(zone, words, said):
    done = zone.run('skrcheck', '--config', 'ksrsigner.yaml', '--no-previous-skr', 'none', '--family', '2028q1', *words)
    assert done.status == 2 and said in done.err, done.err


def test_member_that_follows_another_has_the_number_of_today(tmp_path, programs):
    """Fewer bundles than the quarter before: what a member follows has as many as the
    requests of this ceremony, not as the response before had."""
    zone = Rehearsal(tmp_path, programs, domain='example.', algorithm=13, bundles=4)
    zone.add_ksk('k')
    before = zone.quarter(zone.normal('k'))
    zone.bundles = 2
    zone.response = zone.ask()
    zone.ask()
    zone.bundles = 4
    sections = json.loads(zone.configure([use('k')] * 4, zone.request).read_text())
    sections['families'] = {'f': {'use': {'schema': 'normal'}, 'next': {'schema': 'normal', 'follows': 'use'}}}
    (tmp_path / 'ksrsigner.yaml').write_text(json.dumps(sections))
    done = zone.hsm.run('ksrsigner', '--force', '--previous-skr', before.name, '--family', 'f', '--output-dir', 'out',
                        'use=ksr-2.xml', 'next=ksr-3.xml')
    assert done.status == 0, done.err
    words = ['--config', 'ksrsigner.yaml', '--previous-skr', before.name, '--family', 'f',
             'use=ksr-2.xml=out/use-skr-2.xml', 'next=ksr-3.xml=out/next-skr-3.xml']
    judged = zone.hsm.run('skrcheck', *words)
    assert judged.status == 0, judged.out
    sections['request_policy']['num_bundles'] = 4
    (tmp_path / 'ksrsigner.yaml').write_text(json.dumps(sections))
    judged = zone.hsm.run('skrcheck', *words)
    assert judged.status == 1 and '2 bundles, request_policy.num_bundles is 4' in judged.out, judged.out


def test_signature_that_stands_twice_is_none_of_another_key(tmp_path, programs):
    """One of two signatures in place of the other: as many as the member has, and both
    by one key."""
    zone = Rehearsal(tmp_path, programs, domain='example.', algorithm=13, bundles=2)
    zone.add_ksk('a')
    zone.add_ksk('b')
    before = zone.quarter([use('a', 'b')] * 2)
    path = zone.configure([use('a', 'b')] * 2, zone.ask())
    sections = json.loads(path.read_text())
    sections['schemas']['one'] = {str(number): use('a', publish=['b']) for number in (1, 2)}
    sections['families'] = {'f': {'use': {'schema': 'normal'}, 'next': {'schema': 'one'}}}
    sections['request_policy']['previous_member'] = 'f.use'
    path.write_text(json.dumps(sections))
    assert zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name).status == 0
    text = before.read_text()
    for bundle in re.findall(r'<ResponseBundle.*?</ResponseBundle>', text, re.S):
        one, other = re.findall(r'<Signature keyIdentifier="[ab]">.*?</Signature>', bundle, re.S)
        text = text.replace(one, other)
    before.write_text(text)
    for program, words, made in (('ksrcheck', [], []), ('ksrsigner', ['--force'], ['skr-2.xml'])):
        done = zone.hsm.run(program, *words, *zone.chain(), zone.request.name, *made)
        assert done.status == 1 and 'the previous response is none of family f, expected USE' in done.err, done.err
