# SPDX-License-Identifier: ISC
"""Shows: ksrsigner, ksrcheck and skrcheck, the rules written down a third time, and
the verifiers of dnspython and ldns say the same of thousands of mutants of
requests, previous responses, responses and configurations.  Matters: what one of
them overlooks alone shows as a disagreement; two programs of one project that
agree may share a blind spot, so what is right comes from the rules.

KEYROOM_MUTANTS  how many of each kind [500; "make test-deep" 5000]
KEYROOM_SEED     the seed, as printed; "make test" always has the same, so that it
                 fails for a change and not for a date, "make test-deep" the day's"""
import collections
import os
import random as randomness
import shutil
import subprocess

import pytest

import documents as d
import mutations
import rules
from cases import DOMAIN, STAGES, World
from judges import Judges

COUNT = int(os.environ.get('KEYROOM_MUTANTS', 500))
SEED = os.environ.get('KEYROOM_SEED') or '2026-11-30'
# ldns is asked about every so many: it is a program for each bundle.
LDNS_EVERY = 20


@pytest.fixture(scope='module')
def world(tmp_path_factory, programs):
    return World(tmp_path_factory.mktemp('world'), programs)


class Comparison:
    """Runs mutants of one kind, and keeps the disagreements."""

    def __init__(self, kind, world, folder, programs=None, seed=SEED, signer=True):
        self.kind, self.world, self.seed, self.signer = kind, world, seed, signer
        self.judges = Judges(world, folder)
        if programs is not None:
            self.judges.programs = programs
        self.counts, self.wrong, self.broken = collections.Counter(), [], collections.Counter()

    def compare(self, number, who, said, wanted, out, why):
        self.counts[f'{who} {wanted}'] += 1
        if said != wanted:
            self.wrong.append(f'{self.kind} {number}: {who} says {said}, expected {wanted}: '
                              f'{", ".join(why) or "no rule is broken"}\n' + _told(out))

    def run(self, count, until=lambda wrong: len(wrong) >= 60):
        """So many mutants, or until the disagreements are enough."""
        for number in range(count):
            random = randomness.Random(f'{self.seed}/{self.kind}/{number}')
            case = self.world.case(mutations.pick(random, sorted(STAGES)))
            getattr(self, self.kind)(number, random, case)
            if until(self.wrong):
                break
        return self

    def judge(self, number, case, done, wrong=None):
        """All three, on what is there."""
        if wrong is None:
            case.response = rules.answer(case)
            wrong = rules.broken(case)
        self.broken.update({name for name, _ in wrong} or {'nothing'})
        self.judges.write(case)
        for letter, who in (('c', 'ksrcheck'), ('s', 'ksrsigner'), ('p', 'skrcheck')):
            if letter == 's' and not self.signer:
                continue
            why = [name for name, all_of in wrong if letter in all_of]
            said, out = getattr(self.judges, who)()
            self.compare(number, who, said, 'refuse' if why else 'accept', out, done + why)
            if letter == 's' and said == 'accept' and not why:
                self.look_at_made(number, case, done)

    def look_at_made(self, number, case, done):
        """What ksrsigner made, before the others."""
        said, out = self.judges.skrcheck('made.xml')
        wrong = [name for name, who in rules.broken(case) if 'p' in who]
        self.compare(number, 'skrcheck of ksrsigner', said, 'refuse' if wrong else 'accept', out, done + wrong)
        text = (self.judges.folder / 'made.xml').read_text()
        made = case.response.copy()
        made.bundles = d.read_bundles(text)
        good = rules.same_response(made, case.response) and all(
            rules.verifies(made, bundle, signature, rules.signer_of(bundle, signature))
            for bundle in made.bundles for signature in bundle.signatures)
        self.compare(number, 'dnspython', 'accept' if good else 'refuse', 'accept', '', done)
        if number % LDNS_EVERY == 0 and self.is_absolute(made):
            said = self.judges.ldns(text, number)
            self.compare(number, 'ldns', 'refuse' if said else 'accept', 'accept', said, done)

    # The kinds

    def request(self, number, random, case):
        if self.form(number, random, case, 'ksr.xml', case.request):
            return
        done = mutations.mutate(random, case, case.request)
        self.judge(number, case, done)

    def previous(self, number, random, case):
        if self.form(number, random, case, 'previous.xml', case.previous):
            return
        done = mutations.mutate(random, case, case.previous)
        self.judge(number, case, done)

    def configuration(self, number, random, case):
        done = [mutations.change_config(random, case) for _ in range(mutations.pick(random, [1, 1, 2, 3]))]
        wrong = rules.unusable(case.config)
        if {who for _, who in wrong} == {rules.KEYED}:
            wrong += rules.request_rules(case)      # which need no schema
            wrong += [*rules.previous_rules(case), *rules.chain_rules(case)]
        self.judge(number, case, done, wrong or None)

    def response(self, number, random, case):
        """skrcheck alone is asked; and ldns and dnspython, what they can tell."""
        case.mutant = case.response.copy()
        draw = random.random()
        if draw < .06:
            case.texts['skr.xml'] = mutations.break_form(random, d.write(case.mutant))
            done, wrong = ['form'], ['no such document']
        elif draw < .12:
            case.texts['skr.xml'] = mutations.rewrite(random, d.write(case.mutant))
            done, wrong = ['rewritten'], []
        else:
            done = mutations.mutate(random, case, case.mutant)
            wrong = [name for name, _ in rules.response_broken(case)]
        self.broken.update(wrong or ['nothing'])
        self.judges.write(case)
        said, out = self.judges.skrcheck()
        self.compare(number, 'skrcheck', said, 'refuse' if wrong else 'accept', out, done + wrong)
        if not wrong and number % 4 == 0 and self.is_absolute(case.mutant):
            said = self.judges.ldns((self.judges.folder / 'skr.xml').read_text(), number)
            self.compare(number, 'ldns', 'refuse' if said else 'accept', 'accept', said, done)
        elif set(done) <= {'exchange_signatures'} and all(
                len(bundle.signatures) == 1 for bundle in case.mutant.bundles):
            said = self.judges.ldns((self.judges.folder / 'skr.xml').read_text(), number)
            self.compare(number, 'ldns', 'refuse' if said else 'accept', 'refuse', said, done)

    @staticmethod
    def is_absolute(document):
        """A name without its final dot is the same one here, and not in a zone file."""
        return all(name.endswith('.') for name in [document.domain, *[
            signature.signer for bundle in document.bundles for signature in bundle.signatures]])

    def form(self, number, random, case, name, document):
        """Sometimes the form is broken, or another one of the same."""
        draw = random.random()
        if draw < .06:
            case.texts[name] = mutations.break_form(random, d.write(document))
            self.judge(number, case, ['form'], [('no such document', rules.ALL)])
        elif draw < .12:
            case.texts[name] = mutations.rewrite(random, d.write(document))
            self.judge(number, case, ['rewritten'], [])
        return draw < .12

    def report(self):
        said = ', '.join(f'{who} {count}' for who, count in sorted(self.counts.items()))
        broken = ', '.join(f'{name} {count}' for name, count in self.broken.most_common())
        return (f'{self.kind}: seed {self.seed}, {sum(self.counts.values())} verdicts ({said}), '
                f'{len(self.wrong)} disagreements\n  {broken}')


def _told(out):
    """What a program said that matters."""
    lines = [line for line in out.splitlines() if line.startswith(('FAIL', 'error', 'ksr', 'skr'))]
    return '\n'.join('    ' + line[:200] for line in lines[-6:])


KINDS = ['request', 'previous', 'response', 'configuration']


@pytest.mark.parametrize('stage', STAGES)
def test_unchanged_is_accepted_by_all(world, tmp_path, stage):
    comparison = Comparison('request', world, tmp_path / 'here')
    case = world.case(stage)
    assert rules.broken(case) == []
    comparison.judge(0, case, ['nothing'])
    assert not comparison.wrong, '\n'.join(comparison.wrong)
    assert comparison.counts['ldns accept'] == 1


def test_ldns_and_the_rules_compute_the_same_tag_and_ds(world, tmp_path):
    judges = Judges(world, tmp_path / 'here')
    for pair in world.ksks.values():
        assert judges.ldns_ds(pair, DOMAIN) == (d.tag_of(pair.record(d.KSK)), pair.ds(DOMAIN))


@pytest.mark.slow
@pytest.mark.parametrize('kind', KINDS)
def test_all_agree(world, tmp_path, build, kind):
    comparison = Comparison(kind, world, tmp_path / 'here').run(COUNT)
    # Printed by tests/run at its end: what workers print is lost.
    (build / f'differential.{kind}.txt').write_text(comparison.report() + '\n')
    assert not comparison.wrong, '\n'.join(comparison.wrong)
    assert len(comparison.broken) > 3 and comparison.broken['nothing'] > COUNT / 50


# It can fail: each of these programs lacks one thing that the rules ask for. The
# source is changed in a copy and linked in front of the rest.

WEAK = {
    'skrcheck believes the windows of the previous response': (
        'skrcheck', 'postcheck/previous.c', r'sig->inception != bundle->inception \|\|\s*sig->expiration != '
        r'bundle->expiration', 'false', 'previous'),
    'skrcheck believes stated tags': (
        'skrcheck', 'postcheck/previous.c', r'if \(key->tag != tag\)', 'if (false)', 'previous'),
    'skrcheck takes any bundle before the last': (
        'skrcheck', 'postcheck/previous.c', r'keyset_has\(trusted, &key->dnskey\) &&', '', 'previous'),
    'skrcheck does not ask how long a key was published': (
        'skrcheck', 'postcheck/timeline.c', r'bundle->inception - since >= wanted', 'true', 'configuration'),
    'skrcheck lets keys go': (
        'skrcheck', 'postcheck/timeline.c', r'second_find_ksk\(moments\[at\]\.bundle, dnskey\) != NULL', 'true',
        'configuration'),
    'skrcheck does not see an additional key': (
        'skrcheck', 'postcheck/schema.c', r'!is_known\(second, &key->dnskey\)', 'false', 'response'),
    'skrcheck does not verify': (
        'skrcheck', 'lib/crypto/verify.c', r'(?ms)^(bool crypto_verify\(.*?\)\n\{)', r'\1\n\tif (data != NULL) return true;',
        'response'),
    'ksrcheck does not verify': (
        'ksrcheck', 'lib/crypto/verify.c', r'(?ms)^(bool crypto_verify\(.*?\)\n\{)', r'\1\n\tif (data != NULL) return true;',
        'request'),
}


def weaken(program, source, pattern, new, top, objects, out):
    """The program in a folder of its own, beside the others as they are."""
    text, count = rules.re.subn(pattern, new, (top / source).read_text())
    assert count > 0, f'{source} has no {pattern}'
    (out / 'weak.c').write_text(text)
    for real in (objects.parent / 'bin').iterdir():
        (out / real.name).symlink_to(real)
    (out / program).unlink()
    house = 'postcheck' if program == 'skrcheck' else 'signer'
    main = objects / (f'postcheck/{program}.o' if house == 'postcheck' else f'signer/programs/{program}.o')
    packages = ['libxml-2.0', 'libcrypto', 'yaml-0.1', 'p11-kit-1']
    flags = subprocess.run(['pkg-config', '--cflags', *packages], stdout=subprocess.PIPE, text=True, check=True).stdout
    libs = subprocess.run(['pkg-config', '--libs', *packages[:3]], stdout=subprocess.PIPE, text=True, check=True).stdout
    subprocess.run(['cc', '-std=c17', '-D_GNU_SOURCE', '-O1', '-fPIE', '-pie', '-w', f'-I{top}', f'-I{objects}',
                    *flags.split(), '-o', out / program, out / 'weak.c', main, objects / f'lib{house}.a',
                    objects / 'liblib.a', *libs.split(), '-ldl'], check=True)
    return out


@pytest.mark.slow
@pytest.mark.parametrize('name', WEAK)
def test_weakened_program_is_found_out(world, tmp_path, top, build, name):
    program, source, pattern, new, kind = WEAK[name]
    (tmp_path / 'weak').mkdir()
    programs = weaken(program, source, pattern, new, top, build / 'host' / 'obj', tmp_path / 'weak')

    def is_found(wrong):
        return any(f' {program} says accept, expected refuse' in each for each in wrong)

    found = Comparison(kind, world, tmp_path / 'here', programs, 'weak', signer=False).run(1500, is_found)
    assert is_found(found.wrong), found.report()


def test_the_programs_for_that_are_there():
    assert shutil.which('cc') and shutil.which('pkg-config')
