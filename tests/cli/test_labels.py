# SPDX-License-Identifier: ISC
"""Shows: a label of the configuration is the key that the configuration means by it,
in the previous response and in the HSM, too, for signer and second opinion alike.
Matters: no signature covers a keyIdentifier, and anybody with a token can put a key of
any label into it; a response that follows a stranger's was signed."""
import json
import re

import pytest

from rehearsal import Rehearsal, use

QUIET = {'check_keys_retire_safety': False}


@pytest.fixture(scope='module')
def made(tmp_path_factory, programs):
    """A quarter that "old" has signed, "next" published in it, and one that follows."""
    zone = Rehearsal(tmp_path_factory.mktemp('labels'), programs, bundles=3)
    for name in ('old', 'next', 'other'):
        zone.add_ksk(name)
    zone.quarter(zone.slots((1, use('old', publish=['next']))))
    zone.ask()
    zone.config = json.loads(zone.configure(zone.slots((1, use('old', publish=['next']))), zone.request).read_text())
    done = zone.sign()
    assert done.status == 0, done.err
    return zone


def judged(zone, previous=None, **policy):
    """What each program says of the second quarter."""
    config = dict(zone.config, request_policy=dict(zone.config['request_policy'], **policy))
    (zone.folder / 'ksrsigner.yaml').write_text(json.dumps(config))
    (zone.folder / 'again.xml').unlink(missing_ok=True)
    before = ['--previous-skr', previous or 'skr-1.xml']
    return (zone.hsm.run('ksrcheck', *before, 'ksr-2.xml'),
            zone.hsm.run('ksrsigner', '--force', *before, 'ksr-2.xml', 'again.xml'),
            zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', *before, 'ksr-2.xml', 'skr-2.xml'))


def test_as_it_is_all_pass(made):
    assert [done.status for done in judged(made)] == [0, 0, 0]


# A label that is not configured is a name like any other.
@pytest.mark.parametrize('name, refused', [('other', True), ('nobody', False)])
def test_key_that_is_only_published_under_another_label(made, name, refused):
    text = (made.folder / 'skr-1.xml').read_text()
    (made.folder / 'renamed.xml').write_text(text.replace('keyIdentifier="next"', f'keyIdentifier="{name}"'))
    check, sign, second = judged(made, 'renamed.xml')
    if not refused:
        assert [done.status for done in (check, sign, second)] == [0, 0, 0], sign.err + second.out
        return
    assert [done.status for done in (check, sign, second)] == [1, 1, 1]
    for done in (check, sign):
        assert 'KSR-CHAIN-KEYS: ' in done.err and 'other is not the configured key of that label' in done.err
    assert 'FAIL POST-CHAIN' in second.out
    assert 'is called other, which the configuration says of another key' in ' '.join(second.out.split())


def test_zsk_under_the_label_of_a_key(made):
    text = (made.folder / 'skr-1.xml').read_text()
    zsk = re.findall(r'<Key keyIdentifier="([^"]+)"(?:(?!</Key>).)*<Flags>256', text, re.S)[-1]
    (made.folder / 'zsk.xml').write_text(text.replace(f'"{zsk}"', '"other"'))
    # Its name in the request is another then, which is a question of its own.
    check, sign, second = judged(made, 'zsk.xml')
    assert [done.status for done in (check, sign, second)] == [1, 1, 1]
    assert 'other is not the configured key of that label' in sign.err
    assert 'is called other, which the configuration says of another key' in ' '.join(second.out.split())


@pytest.mark.parametrize('said, policy', [('KSR-CHAIN-KEYS-HSM: ', {}), ('KSR-CHAIN-KEYS: ', {'check_chain_keys_in_hsm': False})])
def test_key_in_the_hsm_that_the_configuration_does_not_mean(made, said, policy):
    """It signed the response before, under a label of ours."""
    keys = {name: dict(key) for name, key in made.config['keys'].items()}
    keys['old'].pop('key_tag')
    keys['old']['ds_sha256'] = 'AB' * 32
    kept = made.config
    made.config = dict(kept, keys=keys, schemas={'normal': {str(i): use('next') for i in (1, 2, 3)}})
    try:
        _, sign, _ = judged(made, **QUIET, **policy)
    finally:
        made.config = kept
    assert sign.status == 1 and said in sign.err and '...VALIDATED.' not in sign.out, sign.err
    assert said != 'KSR-CHAIN-KEYS-HSM: ' or 'is not keys.old: DS ' in sign.err


def test_label_that_was_another_keys(made):
    """Where the configuration does not say which key it means, the HSM's has to be the one."""
    text = (made.folder / 'skr-1.xml').read_text()
    (made.folder / 'renamed.xml').write_text(text.replace('keyIdentifier="next"', 'keyIdentifier="other"'))
    keys = {name: dict(key) for name, key in made.config['keys'].items()}
    for word in ('key_tag', 'ds_sha256'):
        keys['other'].pop(word)
    kept = made.config
    made.config = dict(kept, keys=keys, schemas={'normal': {str(i): use('old', publish=['other']) for i in (1, 2, 3)}})
    try:
        _, sign, _ = judged(made, 'renamed.xml')
    finally:
        made.config = kept
    assert sign.status == 1 and "other is another key than the HSM's key of that label" in sign.err, sign.err
