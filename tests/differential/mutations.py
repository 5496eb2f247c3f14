# SPDX-License-Identifier: ISC
"""How mutants are made: changes of structure, of one document or of the
configuration, chosen by a generator of random numbers.  What a change means is
not said here: rules.py judges what came of it."""
import copy
import re

import documents as d

HOUR = 3600
TEXTS = ['', ' x', 'x ', 'a  b', 'x' * 128, 'x' * 129, 'tab\there', 'line\nPASS', 'line\r\nFAIL', 'caf\u00e9',
         '\u202eabc', 'a b', '~', '<&">', 'x' * 40 + ' ' + 'y' * 40, 'SHA256 hash of SKR:', '\u00a0']


def pick(random, items):
    return random.choice(list(items))


# Times and bundles

def move_bundle(random, case, document):
    """Its window elsewhere, or longer, or shorter."""
    bundle = pick(random, document.bundles)
    by = pick(random, [1, HOUR, d.DAY, 5 * d.DAY, 10 * d.DAY, 30 * d.DAY]) * pick(random, [1, -1])
    which = random.randrange(3)
    bundle.inception += by if which != 1 else 0
    bundle.expiration += by if which != 0 else 0
    if random.random() < .5:
        for signature in bundle.signatures:
            signature.inception, signature.expiration = bundle.inception, bundle.expiration


def move_all(random, case, document):
    by = pick(random, [1, d.DAY, 2 * d.DAY, 10 * d.DAY, 200 * d.DAY]) * pick(random, [1, -1])
    for bundle in document.bundles:
        for each in [bundle, *bundle.signatures]:
            each.inception += by
            each.expiration += by


def exchange_times(random, case, document):
    a, b = random.sample(document.bundles, 2)
    a.inception, a.expiration, b.inception, b.expiration = b.inception, b.expiration, a.inception, a.expiration


def end_first(random, case, document):
    bundle = pick(random, document.bundles)
    bundle.inception, bundle.expiration = bundle.expiration, bundle.inception


def lose_bundle(random, case, document):
    document.bundles.remove(pick(random, document.bundles))


def repeat_bundle(random, case, document):
    bundle = copy.deepcopy(pick(random, document.bundles))
    if random.random() < .5:
        bundle.id += '-again'
    if random.random() < .5:
        for each in [bundle, *bundle.signatures]:
            each.inception += 10 * d.DAY
            each.expiration += 10 * d.DAY
    document.bundles.append(bundle)


def take_bundle(random, case, document):
    """One of another document, in place of one or beside them."""
    others = [each for each in (case.previous, case.response) if each is not None and each is not document]
    bundle = copy.deepcopy(pick(random, pick(random, others).bundles))
    if random.random() < .5:
        document.bundles[random.randrange(len(document.bundles))] = bundle
    else:
        document.bundles.append(bundle)


def rename_bundle(random, case, document):
    others = [each.id for each in [*document.bundles, *case.previous.bundles]]
    pick(random, document.bundles).id = pick(random, TEXTS + others + ['another'])


# Keys

def with_keys(document):
    return [bundle for bundle in document.bundles if bundle.keys]


def lose_key(random, case, document):
    bundle = pick(random, [each for each in document.bundles if len(each.keys) > 1] or document.bundles)
    if len(bundle.keys) > 1:
        key = pick(random, bundle.keys)
        bundle.keys.remove(key)
        rest = [each for each in bundle.signatures if each.identifier != key.identifier]
        if rest and random.random() < .5:
            bundle.signatures = rest


def add_key(random, case, document):
    """A stranger's, another role's, or one of another bundle."""
    bundle = pick(random, document.bundles)
    pair = pick(random, case.pairs.values())
    if any(key.public == pair.public for key in bundle.keys):
        return
    flags = pick(random, [d.ZSK, d.KSK, d.REVOKED, d.KSK if document.kind == 'Response' else d.ZSK])
    bundle.keys.insert(random.randrange(len(bundle.keys) + 1), d.make_key(pair, flags, bundle.keys[0].ttl))
    if random.random() < .6:
        bundle.signatures.append(d.make_signature(document, bundle, pair, flags))


def change_key(random, case, document):
    key = pick(random, pick(random, with_keys(document)).keys)
    what = pick(random, ['flags', 'protocol', 'algorithm', 'ttl', 'tag', 'public'])
    if what == 'flags':
        key.flags = pick(random, [0, 1, 128, 256, 257, 384, 385, 512, 65535])
    elif what == 'protocol':
        key.protocol = pick(random, [0, 2, 4, 255])
    elif what == 'algorithm':
        key.algorithm = pick(random, [0, 5, 14, 15, 253])
    elif what == 'ttl':
        key.ttl = pick(random, [0, 1, 3600, 172799, 172801, 2 ** 31 - 1])
    elif what == 'tag':
        key.tag = pick(random, [0, 1, 5017, 65535, (key.tag + 1) % 65536])
    else:
        raw = bytearray(key.public)
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        key.public = bytes(raw) if random.random() < .7 else key.public[:-1]
    if what not in ('ttl', 'tag') and random.random() < .6:
        key.tag = d.tag_of(key.rdata())


def change_all_ttls(random, case, document):
    ttl = pick(random, [0, 3600, 172801])
    for bundle in document.bundles if random.random() < .5 else [pick(random, document.bundles)]:
        for key in bundle.keys:
            key.ttl = ttl
        for signature in bundle.signatures:
            signature.ttl = ttl
            signature.original_ttl = ttl if random.random() < .8 else signature.original_ttl


def rename_key(random, case, document):
    """In the key, in its signature, or in both; here or everywhere."""
    key = pick(random, pick(random, with_keys(document)).keys)
    old, new = key.identifier, pick(random, TEXTS + ['another', 'KSK1', *case.pairs])
    where = document.bundles if random.random() < .4 else [pick(random, document.bundles)]
    which = random.randrange(3)
    for bundle in where:
        for each in (bundle.keys if which != 1 else []) + (bundle.signatures if which != 0 else []):
            if each.identifier == old:
                each.identifier = new


def exchange_keys(random, case, document):
    """The public keys of two identifiers, in one bundle."""
    bundle = pick(random, document.bundles)
    if len(bundle.keys) > 1:
        a, b = random.sample(bundle.keys, 2)
        a.public, b.public, a.tag, b.tag = b.public, a.public, b.tag, a.tag


def move_key(random, case, document):
    """A key from one bundle to another, as in a request that came too late."""
    a, b = random.sample(document.bundles, 2)
    key = copy.deepcopy(pick(random, a.keys))
    if all(each.public != key.public for each in b.keys):
        b.keys.append(key)
        pair = case.pairs.get(key.identifier)
        if pair is not None and random.random() < .6:
            b.signatures.append(d.make_signature(document, b, pair, key.flags))


# Signatures

def lose_signature(random, case, document):
    bundle = pick(random, document.bundles)
    if len(bundle.signatures) > 1:
        bundle.signatures.remove(pick(random, bundle.signatures))


def repeat_signature(random, case, document):
    bundle = pick(random, document.bundles)
    bundle.signatures.append(copy.deepcopy(pick(random, bundle.signatures)))


def exchange_signatures(random, case, document):
    a, b = random.sample(document.bundles, 2)
    x, y = pick(random, a.signatures), pick(random, b.signatures)
    x.data, y.data = y.data, x.data


def sign_by_other(random, case, document):
    """By a stranger, or by a key of the other role, properly and published or not."""
    bundle = pick(random, document.bundles)
    pair = pick(random, case.pairs.values())
    flags = pick(random, [d.KSK, d.ZSK, d.REVOKED])
    known = [key for key in bundle.keys if key.public == pair.public]
    if known:
        flags = known[0].flags
    elif random.random() < .8:
        bundle.keys.append(d.make_key(pair, flags, bundle.keys[0].ttl))
    made = d.make_signature(document, bundle, pair, flags)
    if random.random() < .5:
        bundle.signatures = [made]
    else:
        bundle.signatures.append(made)


def change_signature(random, case, document):
    signature = pick(random, pick(random, document.bundles).signatures)
    what = pick(random, ['original_ttl', 'covers', 'algorithm', 'labels', 'inception', 'expiration', 'tag', 'signer',
                         'data', 'ttl' if document.kind == 'Response' else 'data'])
    if what in ('original_ttl', 'ttl'):
        setattr(signature, what, pick(random, [0, 3600, 172801]))
    elif what == 'covers':
        signature.covers = pick(random, ['SOA', 'DS', 'TYPE48', 'dnskey', 'CDNSKEY'])
    elif what == 'algorithm':
        signature.algorithm = pick(random, [0, 8, 14, 15])
    elif what == 'labels':
        signature.labels = pick(random, [0, 2, 255])
    elif what in ('inception', 'expiration'):
        by = pick(random, [1, d.DAY, 10 * d.DAY]) * pick(random, [1, -1])
        setattr(signature, what, getattr(signature, what) + by)
    elif what == 'tag':
        signature.tag = pick(random, [0, (signature.tag + 1) % 65536])
    elif what == 'signer':
        signature.signer = pick(random, ['.', 'example.net.', 'EXAMPLE.', 'example', 'x.example.'])
    else:
        raw = bytearray(signature.data)
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        signature.data = bytes(raw) if random.random() < .7 else signature.data[:-1]


# The head

def change_head(random, case, document):
    what = pick(random, ['id', 'domain', 'serial'])
    if what == 'id':
        document.id = pick(random, TEXTS + [case.previous.id, 'another'])
    elif what == 'domain':
        document.domain = pick(random, ['.', 'example.net.', 'EXAMPLE.', 'example'])
    else:
        document.serial = pick(random, [-1, 0, 1, 99, 2 ** 31])


def change_policy(random, case, document):
    policy = pick(random, [each for each in (document.zsk, document.ksk) if each is not None])
    if random.random() < .7:
        name = pick(random, d.DURATIONS)
        policy.durations[name] = max(0, pick(random, [0, policy.durations[name] + pick(random, [
            1, -1, d.DAY, -d.DAY, 5 * d.DAY, -5 * d.DAY])]))
    elif random.random() < .5 and len(policy.algorithms) > 1:
        policy.algorithms.remove(pick(random, policy.algorithms))
    else:
        entry = pick(random, [(13, 384), (13, 256), (14, 384), (15, 256)])
        if random.random() < .5:
            policy.algorithms[random.randrange(len(policy.algorithms))] = entry
        elif entry not in policy.algorithms:
            policy.algorithms.append(entry)


def shuffle(random, case, document):
    """Another order: of bundles, or within them."""
    if random.random() < .3:
        random.shuffle(document.bundles)
    for bundle in document.bundles:
        random.shuffle(bundle.keys)
        random.shuffle(bundle.signatures)


def same(random, case, document):
    """Signed once more: the same with other values."""
    for bundle in document.bundles:
        d.sign_again(document, bundle, case.pairs)


OF_DOCUMENTS = [move_bundle, move_all, exchange_times, end_first, lose_bundle, repeat_bundle, take_bundle, rename_bundle,
                lose_key, add_key, change_key, change_all_ttls, rename_key, exchange_keys, move_key, lose_signature,
                repeat_signature, exchange_signatures, sign_by_other, change_signature, change_head, change_policy,
                shuffle, same]
# A request's keys in a request, or in a response; not the other way round.
HARD = {add_key: 3, sign_by_other: 3, move_bundle: 2, change_signature: 2, change_key: 2}


def mutate(random, case, document):
    """One to three changes, and perhaps everything signed anew by its owners; the
    names of what was done."""
    done = []
    weights = [HARD.get(each, 1) for each in OF_DOCUMENTS]
    for each in random.choices(OF_DOCUMENTS, weights, k=pick(random, [1, 1, 1, 2, 3])):
        if document.bundles and all(bundle.keys and bundle.signatures for bundle in document.bundles):
            each(random, case, document)
            done.append(each.__name__)
    if random.random() < .5:
        for bundle in document.bundles:
            if random.random() < .9:
                d.sign_again(document, bundle, case.pairs)
        done.append('signed again')
    return done


# The form: what is no such document any more, or the same written differently

def break_form(random, text):
    """An element or an attribute lost, twice, moved or unknown."""
    elements = list(re.finditer(r'<(\w+)(?: [^<>]*)?>[^<>]*</\1>\n?', text))
    found = pick(random, [each for each in elements if each.group(1) not in ('Key', 'Signature')])
    whole = found.group()
    attribute = pick(random, list(re.finditer(r' (id|domain|serial|keyIdentifier|keyTag|algorithm|size)="[^"]*"', text)))
    return pick(random, [
        lambda: text.replace(whole, '', 1), lambda: text.replace(whole, whole + whole, 1),
        lambda: text.replace(whole, f'<Wrapped>{whole}</Wrapped>', 1),
        lambda: text.replace(whole, whole + '<Other/>', 1),
        lambda: text[:attribute.start()] + text[attribute.end():],
        lambda: text[:attribute.end()] + ' other="1"' + text[attribute.end():],
        lambda: text[:attribute.end()] + attribute.group() + text[attribute.end():],
        lambda: text[:random.randrange(len(text) - 10)],
        lambda: text + text.split('\n', 1)[1], lambda: text.replace('?>', '?><!DOCTYPE KSR>', 1),
        lambda: text.replace('</KSR>', '</Ksr>'), lambda: text + 'x', lambda: text.replace('<KSR ', '<ksr ', 1),
        lambda: re.sub(r'(<KSR [^>]*>\n)', r'\1<!-- -- -->', text, count=1),
    ])()


def rewrite(random, text):
    """The same document in other words."""
    def blanks(match):
        return match.group() + pick(random, ['', '\n', '  ', '\t', '<!-- PASS\ndone -->', '<?x y?>'])

    steps = [
        lambda text: text.replace('"', "'") if "'" not in text and '&quot;' not in text else text,
        lambda text: text.replace('\n', '\r\n'),
        lambda text: '\ufeff' + text,
        lambda text: re.sub(r'>\n(?=<)', blanks, text),
        lambda text: re.sub(r'<(\w+)>([\w+/=.:-]+)</', r'<\1><![CDATA[\2]]></', text, count=random.randrange(1, 20)),
        lambda text: re.sub(r'<(PublicKey|SignatureData)>(.{20})', r'<\1>\n \2\n', text),
        lambda text: re.sub(r' keyIdentifier="([^"]*)" keyTag="(\d+)"', r' keyTag="0\2"  keyIdentifier="\1"', text),
        lambda text: text.replace('+00:00<', 'Z<'),
    ]
    for step in random.sample(steps, random.randrange(1, 4)):
        text = step(text)
    return text


# The configuration

def change_config(random, case):
    config = case.config
    if 'normal' not in config['schemas']:
        return 'nothing more'
    what = pick(random, [_slot, _slot, _slot, _slot, _duration, _switch, _number, _key, _list, _names])
    what(random, config)
    return what.__name__[1:]


def _slot(random, config):
    """A slot, or a run of them, with any roles of any keys."""
    schema = config['schemas']['normal']
    begin = random.randrange(1, 5)
    names = random.sample(['old', 'new', 'idle', 'other'], random.randrange(1, 4))
    if random.random() < .8 and 'other' in names and len(names) > 1:
        names.remove('other')
    roles = {name: pick(random, ['publish', 'sign', 'sign', 'both', 'revoke']) for name in names}
    made = {'publish': [name for name, role in roles.items() if role in ('publish', 'both')],
            'sign': [name for name, role in roles.items() if role in ('sign', 'both', 'revoke')],
            'revoke': [name for name, role in roles.items() if role == 'revoke']}
    if random.random() < .08:
        made['revoke'] = random.sample(names, 1)
    if random.random() < .05:
        made['sign'] = []
    if random.random() < .05:
        made['publish'] += ['none']
    made = {name: each for name, each in made.items() if each or name == 'sign'}
    for number in range(begin, pick(random, [begin + 1, 5])):
        schema[str(number)] = copy.deepcopy(made)


def _duration(random, config):
    section, name = pick(random, [('ksk_policy', each) for each in config['ksk_policy'] if each not in (
        'signers_name', 'ttl')] + [('request_policy', each) for each in (
            'min_cycle_inception_length', 'max_cycle_inception_length', 'min_bundle_interval', 'max_bundle_interval')])
    config[section][name] = pick(random, ['PT0S', 'P1D', 'P9D', 'P10D', 'P11D', 'P12D', 'P20D', 'P21D', 'P29D', 'P30D',
                                          'P31D', 'P51D', 'P60D', 'P10DT1S'])


def _switch(random, config):
    name = pick(random, ['check_cycle_length', 'check_bundle_overlap', 'check_bundle_intervals', 'check_chain_keys',
                         'check_chain_keys_in_hsm', 'check_chain_overlap', 'check_keys_publish_safety',
                         'check_keys_retire_safety', 'enable_unsupported_ecdsa', 'validate_signatures',
                         'signature_validity_match_zsk_policy', 'check_keys_match_ksk_operator_policy',
                         'signature_check_expire_horizon', 'keys_match_zsk_policy'])
    config['request_policy'][name] = False


def _number(random, config):
    section, name, values = pick(random, [
        ('request_policy', 'num_bundles', [1, 3, 4, 5]), ('response_policy', 'num_bundles', [1, 3, 4, 5]),
        ('request_policy', 'num_different_keys_in_all_bundles', [1, 2, 3, 4]),
        ('ksk_policy', 'ttl', [0, 3600, 172800]), ('request_policy', 'dns_ttl', [0, 3600, 172800]),
        ('request_policy', 'signature_horizon_days', [0, 1, 50, 51, 52, 90, 91, 92, 36525])])
    config[section][name] = pick(random, values)


def _list(random, config):
    policy = config['request_policy']
    name = pick(random, ['num_keys_per_bundle', 'approved_algorithms', 'acceptable_domains'])
    policy[name] = pick(random, {
        'num_keys_per_bundle': [[2, 1, 1, 1], [1, 1, 1, 2], [2, 1, 1, 2], [2, 2, 2, 2], [2, 1, 1], [2, 1, 1, 2, 1]],
        'approved_algorithms': [['RSASHA256'], ['ECDSAP256SHA256'], ['ED25519', 'ECDSAP256SHA256']],
        'acceptable_domains': [['.'], ['.', 'example.'], ['EXAMPLE'], ['example.net.']]}[name])


def _key(random, config):
    """What is said of a key is not what it is; or is not said."""
    names = {name for each in config['schemas']['normal'].values() for role in each.values() for name in role}
    key = config['keys'][pick(random, sorted(names & set(config['keys'])) or ['old'])]
    what = pick(random, ['key_tag', 'ds_sha256', 'algorithm', 'valid_from', 'valid_until', 'label', 'copy', 'silent'])
    if what == 'copy':
        config['keys']['again'] = copy.deepcopy(key)
    elif what == 'silent':
        key.pop('key_tag', None)
    else:
        key[what] = {'key_tag': (key.get('key_tag', 0) + 1) % 65536,
                     'ds_sha256': '0' * 64, 'algorithm': 'ECDSAP384SHA384', 'label': 'nobody',
                     'valid_from': pick(random, ['2000-01-01T00:00:00Z', '2090-01-01T00:00:00Z']),
                     'valid_until': pick(random, ['2019-01-01T00:00:00Z', '2021-01-01T00:00:00Z',
                                                  '2090-01-01T00:00:00Z'])}[what]


def _names(random, config):
    """Slots or the schema itself under another name."""
    schemas = config['schemas']
    if random.random() < .5 and len(schemas['normal']) > 1:
        schemas['normal'].pop(pick(random, sorted(schemas['normal'])))
    elif random.random() < .5:
        schemas['normal']['5'] = copy.deepcopy(pick(random, schemas['normal'].values()))
    else:
        schemas['abnormal'] = schemas.pop('normal')
