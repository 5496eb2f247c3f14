# SPDX-License-Identifier: ISC
"""What must hold, as a third opinion: written from the catalogue of checks (see
ksrsigner(1) and skrcheck(1)), on the data of documents.py, without looking at how
either program does it.  Signatures are judged by dnspython.

broken(case) names the rules that a case breaks, each with who must notice it:
c is ksrcheck, which has no HSM and no schema; s is ksrsigner; p is skrcheck, which
judges the response that a signer without any rule would have made."""
import re

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

import documents as d

ALL, SIGNERS, KEYED = 'csp', 'cs', 'sp'
NAME = re.compile(r'[!-~](?: ?[!-~])*')
DOMAIN = re.compile(r'\.|(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?')
IN_TOKEN = ('old', 'new', 'idle', 'other')
MNEMONICS = {13: 'ECDSAP256SHA256', 14: 'ECDSAP384SHA384', 15: 'ED25519'}
POLICY = {'PublishSafety': 'publish_safety', 'RetireSafety': 'retire_safety',
          'MaxSignatureValidity': 'max_signature_validity', 'MinSignatureValidity': 'min_signature_validity',
          'MaxValidityOverlap': 'max_validity_overlap', 'MinValidityOverlap': 'min_validity_overlap'}


def seconds(text):
    days, rest = re.fullmatch(r'P(?:(\d+)D)?(?:T(\d+)S)?', text).groups()
    return int(days or 0) * d.DAY + int(rest or 0)


def same_name(a, b):
    return a.lower().rstrip('.') == b.lower().rstrip('.')


def is_text(text):
    return len(text) <= 128 and NAME.fullmatch(text) is not None


def by_time(document):
    return sorted(document.bundles, key=lambda each: (each.inception, each.expiration, each.id))


# Signatures

_judged = {}


def verifies(document, bundle, signature, key):
    """dnspython's word."""
    content = (document.domain, repr(signature), key.rdata(), b''.join(sorted(each.rdata() for each in bundle.keys)))
    if content not in _judged:
        if len(_judged) > 20000:
            _judged.clear()
        _judged[content] = _verifies(document, bundle, signature, key)
    return _judged[content]


def _verifies(document, bundle, signature, key):
    name = dns.name.from_text(document.domain if document.domain.endswith('.') else document.domain + '.')
    records = [dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.DNSKEY, each.rdata(), 0, len(each.rdata()))
               for each in bundle.keys]
    rrset = dns.rrset.from_rdata_list(name, signature.original_ttl, records)
    data = d.signed_data(bundle, signature, document.domain)
    head = data[:18] + d.wire(signature.signer) + signature.data
    rrsig = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RRSIG, head, 0, len(head))
    signer = dns.rrset.from_rdata_list(name, signature.original_ttl, [
        dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.DNSKEY, key.rdata(), 0, len(key.rdata()))])
    try:
        dns.dnssec.validate_rrsig(rrset, rrsig, {name: signer}, now=signature.inception)
    except (dns.dnssec.ValidationFailure, dns.dnssec.UnsupportedAlgorithm, ValueError, KeyError, IndexError):
        return False
    return True


def signer_of(bundle, signature):
    for key in bundle.keys:
        if (key.identifier, key.algorithm, d.tag_of(key.rdata())) == \
                (signature.identifier, signature.algorithm, signature.tag):
            return key
    return None


def public(key):
    return key.algorithm, key.public


def is_sep(key):
    return key.flags & 1 != 0


def is_revoked(key):
    return key.flags & 0x80 != 0


# The configuration

def configuration(config):
    """Is it one?  What the readers' manual pages say of sections and slots."""
    for slot_map in config['schemas'].values():
        for slot in slot_map.values():
            lists = {name: slot.get(name, []) for name in ('publish', 'revoke', 'sign')}
            lists = {name: [each] if isinstance(each, str) else each for name, each in lists.items()}
            if not lists['sign'] or not set(lists['revoke']) <= set(lists['sign']):
                yield 'slot'
            if set(lists['revoke']) & set(lists['publish']):
                yield 'revoked and published'
            if set(lists['sign']) <= set(lists['revoke']):
                yield 'only revoked keys sign'
            for each in lists.values():
                if len(set(each)) < len(each) or not set(each) <= set(config['keys']):
                    yield 'names'
        if sorted(map(int, slot_map)) != list(range(1, len(slot_map) + 1)):
            yield 'a slot is missing'
    for member in ('label', 'ds_sha256'):
        values = [key[member] for key in config['keys'].values() if member in key]
        if len(set(values)) < len(values):
            yield f'two keys of one {member}'
    for key in config['keys'].values():
        if key.get('valid_until', '9') <= key['valid_from']:
            yield 'period'
    if 'normal' not in config['schemas']:
        yield 'no schema'


def setting(config, name):
    defaults = {'validate_signatures': True, 'keys_match_zsk_policy': True, 'check_cycle_length': True,
                'check_bundle_overlap': True, 'check_bundle_intervals': True, 'check_chain_keys': True,
                'signature_algorithms_match_zsk_policy': True, 'signature_validity_match_zsk_policy': True,
                'check_keys_match_ksk_operator_policy': True, 'check_chain_keys_in_hsm': True,
                'check_chain_overlap': True, 'check_keys_publish_safety': True, 'check_keys_retire_safety': True,
                'signature_check_expire_horizon': True, 'enable_unsupported_ecdsa': False,
                'enable_unsupported_edwards_dsa': False, 'dns_ttl': 0, 'min_bundle_interval': 'P9D',
                'max_bundle_interval': 'P11D'}
    return config['request_policy'].get(name, defaults.get(name))


def slot_of(config, number):
    slot = config['schemas']['normal'].get(str(number))
    if slot is None:
        return None
    lists = [slot.get(name, []) for name in ('publish', 'revoke', 'sign')]
    return [[each] if isinstance(each, str) else each for each in lists]


def answer(case):
    """The response of a signer without rules."""
    config, request = case.config, case.request
    ttl = config['ksk_policy']['ttl']
    made = d.Document('Response', request.id, request.domain, request.serial, request.zsk)
    used = set()
    for number, asked in enumerate(by_time(request), 1):
        bundle = d.Bundle(asked.id, asked.inception, asked.expiration)
        bundle.keys = [d.Key(key.identifier, d.tag_of(key.rdata()), ttl, key.flags, key.protocol, key.algorithm,
                             key.public) for key in asked.keys]
        publish, revoke, sign = slot_of(config, number) or ([], [], [])
        forms = [(name, d.REVOKED if name in revoke else d.KSK) for name in dict.fromkeys([*publish, *sign, *revoke])]
        for name, flags in forms:
            pair = case.pairs[name]
            used.add((pair.algorithm, d.FAMILY[pair.algorithm][1]))
            bundle.keys.append(d.make_key(pair, flags, ttl, config['keys'][name]['label']))
        for name, flags in forms:
            if name in sign:
                bundle.signatures.append(d.make_signature(made, bundle, case.pairs[name], flags,
                                                          config['keys'][name]['label'], ttl=ttl, original_ttl=ttl))
        made.bundles.append(bundle)
    made.ksk = d.Policy({stated: seconds(config['ksk_policy'][name]) for stated, name in POLICY.items()}, sorted(used))
    return made


# The request

def texts(document):
    yield document.id
    for bundle in document.bundles:
        yield bundle.id
        yield from bundle.signers
        for each in [*bundle.keys, *bundle.signatures]:
            yield each.identifier


def names(document):
    known = {}
    return any(known.setdefault(key.identifier, public(key)) != public(key)
               for bundle in document.bundles for key in bundle.keys)


def request_rules(case):
    config, request = case.config, case.request
    if not all(is_text(text) for text in texts(request)):
        yield 'TEXT', ALL
    acceptable = config['request_policy']['acceptable_domains']
    if not any(same_name(request.domain, each) for each in acceptable):
        yield 'DOMAIN', SIGNERS
    if not same_name(request.domain, config['ksk_policy']['signers_name']):
        yield 'DOMAIN of the KSK', KEYED
    if request.serial < 0:
        yield 'SERIAL', SIGNERS
    ids = [bundle.id for bundle in request.bundles]
    if len(set(ids)) < len(ids):
        yield 'BUNDLE-UNIQUE', ALL
    if any(bundle.inception >= bundle.expiration for bundle in request.bundles):
        yield 'BUNDLE-ORDER', ALL
    yield from request_keys(config, request)
    yield from proof(config, request)
    yield from request_numbers(config, request)
    yield from request_times(case)


def request_keys(config, request):
    stated = set(request.zsk.algorithms)
    ttl = setting(config, 'dns_ttl') or config['ksk_policy']['ttl']
    if names(request):
        yield 'BUNDLE-KEYS identifier', ALL
    for bundle in request.bundles:
        for key in bundle.keys:
            if key.protocol != 3 or key.flags != d.ZSK:
                yield 'BUNDLE-KEYS protocol, flags', ALL
            if key.tag != d.tag_of(key.rdata()):
                yield 'BUNDLE-KEYS tag', ALL
            if key.ttl != ttl:
                yield 'BUNDLE-KEYS TTL', SIGNERS
            # In a response KSKs stand beside it, each under its label.
            if key.identifier in {each['label'] for each in config['keys'].values()}:
                yield 'BUNDLE-KEYS label', SIGNERS
            size = {64: 256, 96: 384, 32: 256}.get(len(key.public))
            if setting(config, 'keys_match_zsk_policy') and (key.algorithm, size) not in stated:
                yield 'BUNDLE-KEYS policy', SIGNERS


def proof(config, request):
    who = ALL if setting(config, 'validate_signatures') else 'p'
    for bundle in request.bundles:
        proven = set()
        for signature in bundle.signatures:
            key = signer_of(bundle, signature)
            if key is None or not verifies(request, bundle, signature, key):
                yield 'BUNDLE-POP', who
            else:
                proven.add(public(key))
            if key is not None and signature.original_ttl != key.ttl:
                yield 'BUNDLE-POP TTL', who
            if signature.covers != 'DNSKEY' or signature.labels != d.labels_of(request.domain):
                yield 'BUNDLE-POP fields', who
            if not same_name(signature.signer, request.domain):
                yield 'DOMAIN of a signature', ALL
        if proven != {public(key) for key in bundle.keys}:
            yield 'BUNDLE-POP missing', who


def request_numbers(config, request):
    bundles, policy = by_time(request), config['request_policy']
    if len(bundles) != policy['num_bundles']:
        yield 'BUNDLE-COUNT', SIGNERS
    cycle = bundles[-1].inception - bundles[0].inception
    if setting(config, 'check_cycle_length') and not seconds(policy['min_cycle_inception_length']) <= cycle <= \
            seconds(policy['max_cycle_inception_length']):
        yield 'BUNDLE-CYCLE-DURATION', SIGNERS
    counts = [len({public(key) for key in bundle.keys}) for bundle in bundles]
    distinct = len({public(key) for bundle in bundles for key in bundle.keys})
    if setting(config, 'check_keys_match_ksk_operator_policy') and (
            counts != policy['num_keys_per_bundle'] or distinct != policy['num_different_keys_in_all_bundles']):
        yield 'POLICY-KEYS', SIGNERS
    approved = policy['approved_algorithms']
    if any(size != d.FAMILY[algorithm][1] for algorithm, size in request.zsk.algorithms):
        yield 'POLICY-ALG size', SIGNERS
    for algorithm in {key.algorithm for bundle in bundles for key in bundle.keys} | \
            {each for each, _ in request.zsk.algorithms}:
        enabled = setting(config, 'enable_unsupported_edwards_dsa' if algorithm == 15 else 'enable_unsupported_ecdsa')
        if MNEMONICS.get(algorithm) not in approved and setting(config, 'signature_algorithms_match_zsk_policy') or \
                not enabled:
            yield 'POLICY-ALG', SIGNERS


def request_times(case):
    config, bundles = case.config, by_time(case.request)
    yield from stated_times(config, case.request.zsk, bundles)
    for before, after in zip(bundles, bundles[1:]):
        if after.expiration <= before.expiration:
            yield 'BUNDLE-ORDER', ALL
        if setting(config, 'check_bundle_intervals') and not seconds(setting(config, 'min_bundle_interval')) <= \
                after.inception - before.inception <= seconds(setting(config, 'max_bundle_interval')):
            yield 'POLICY-BUNDLE-INTERVALS', SIGNERS
    if setting(config, 'signature_check_expire_horizon') and not all(
            case.now < bundle.expiration <= case.now + config['request_policy']['signature_horizon_days'] * d.DAY
            for bundle in bundles):
        yield 'POLICY-SIG-HORIZON', SIGNERS


def stated_times(config, zsk, bundles):
    def bound(name, tighter):
        return tighter(zsk.durations[name], seconds(config['ksk_policy'][POLICY[name]]))

    if setting(config, 'signature_validity_match_zsk_policy') and not all(
            bound('MinSignatureValidity', max) <= bundle.expiration - bundle.inception <=
            bound('MaxSignatureValidity', min) for bundle in bundles):
        yield 'POLICY-SIG-VALIDITY', ALL
    if setting(config, 'check_bundle_overlap') and not all(
            bound('MinValidityOverlap', max) <= before.expiration - after.inception <= bound('MaxValidityOverlap', min)
            for before, after in zip(bundles, bundles[1:])):
        yield 'POLICY-SIG-OVERLAP', ALL


# The response before

def previous_rules(case):
    config, previous = case.config, case.previous
    bundles = by_time(previous)
    if not all(is_text(text) for text in texts(previous)):
        yield 'SKR TEXT', ALL
    if len(bundles) != config['response_policy']['num_bundles']:
        yield 'SKR-BUNDLE-COUNT', ALL
    ids = [bundle.id for bundle in bundles]
    if len(set(ids)) < len(ids):
        yield 'SKR-SIGNATURES ids', ALL
    if names(previous):
        yield 'SKR-SIGNATURES identifier', ALL
    for before, after in zip(bundles, bundles[1:]):
        if not (before.inception < after.inception <= before.expiration < after.expiration):
            yield 'SKR-SIGNATURES order', ALL
    for bundle in bundles:
        yield from previous_bundle(case, bundle)


def absent_signer(case, bundle, signature):
    """A signature whose key is not in its bundle: by a configured key that signs
    only.  Its bytes are those of another bundle that has it under its label, and
    for ksrsigner those of the HSM where none has; without the HSM ksrcheck leaves
    it to ksrsigner."""
    config, previous = case.config, case.previous
    stated = [key for key in config['keys'].values() if key['label'] == signature.identifier
              and MNEMONICS.get(signature.algorithm) == key['algorithm']]
    if not stated:
        yield 'SKR-SIGNATURES', ALL
        return

    def holds(key):
        """And is not in the bundle by another identifier, which nothing covers."""
        return d.tag_of(key.rdata()) == signature.tag and verifies(previous, bundle, signature, key) \
            and public(key) not in [public(each) for each in bundle.keys]

    def published(document):
        return [key for each in by_time(document) for key in each.keys if key.flags == d.KSK
                and key.identifier == signature.identifier and key.algorithm == signature.algorithm]

    there = published(previous)
    if there:
        if not holds(there[0]):
            yield 'SKR-SIGNATURES absent', SIGNERS
    elif not setting(config, 'check_chain_keys_in_hsm'):
        yield 'SKR-SIGNATURES absent', SIGNERS
    pair = case.pairs.get(signature.identifier) if signature.identifier in IN_TOKEN else None
    if setting(config, 'check_chain_keys_in_hsm') and (
            pair is None or not holds(d.make_key(pair, d.KSK, 0, signature.identifier))):
        yield 'CHAIN-KEYS-HSM absent', 's'
    known_keys = [key for key in published(case.mutant or case.response) + there if is_stated(config, stated[0], key)]
    if not known_keys or not holds(known_keys[0]):
        yield 'SKR-SIGNATURES absent', 'p'


def is_stated(config, stated, key):
    """By its DS; where there is none, by its tag; where there is neither, by its label."""
    if stated.get('key_tag', d.tag_of(key.rdata())) != d.tag_of(key.rdata()):
        return False
    return 'ds_sha256' not in stated or known(config, key)


def misnamed(config, previous, signing):
    """Is a key of the previous response, one that signed its bundle or not, another one than
    the configuration means by that label?"""
    for bundle in previous.bundles:
        signers = [signer_of(bundle, signature) for signature in bundle.signatures]
        for key in bundle.keys:
            stated = [each for each in config['keys'].values() if each['label'] == key.identifier]
            if stated and any(key is signer for signer in signers) == signing and not (
                    is_sep(key) and MNEMONICS.get(key.algorithm) == stated[0]['algorithm'] and is_stated(
                        config, stated[0], d.Key(key.identifier, 0, 0, d.KSK, key.protocol, key.algorithm, key.public))):
                return True
    return False


def previous_bundle(case, bundle):
    previous = case.previous
    if bundle.inception >= bundle.expiration:
        yield 'SKR-SIGNATURES ends before it begins', ALL
    ttls = {key.ttl for key in bundle.keys}
    if any(key.tag != d.tag_of(key.rdata()) for key in bundle.keys):
        yield 'SKR-SIGNATURES tag', ALL
    followed = False
    for signature in bundle.signatures:
        key = signer_of(bundle, signature)
        ttls |= {signature.ttl, signature.original_ttl}
        if key is None:
            yield from absent_signer(case, bundle, signature)
        elif not verifies(previous, bundle, signature, key):
            yield 'SKR-SIGNATURES', ALL
        elif not is_sep(key):
            yield 'SKR-SIGNATURES no KSK', ALL
        elif not is_revoked(key):
            followed = True
        if (signature.inception, signature.expiration) != (bundle.inception, bundle.expiration):
            yield 'SKR-SIGNATURES window', ALL
        if signature.covers != 'DNSKEY' or signature.labels != d.labels_of(previous.domain) or \
                not same_name(signature.signer, previous.domain):
            yield 'SKR-SIGNATURES fields', ALL
    if not followed:
        yield 'SKR-SIGNATURES revoked alone', ALL
    if len(ttls) > 1:
        yield 'SKR-SIGNATURES TTL', ALL


def known(config, key):
    """By its DS, as dnspython computes it, and by its label."""
    plain = d.Key(key.identifier, 0, 0, d.KSK, key.protocol, key.algorithm, key.public).rdata()
    record = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.DNSKEY, plain, 0, len(plain))
    name = config['ksk_policy']['signers_name']
    digest = dns.dnssec.make_ds(dns.name.from_text(name), record, 'SHA256').digest.hex().upper()
    return any(each.get('ds_sha256') == digest and each['label'] == key.identifier for each in config['keys'].values())


def tie(case):
    """For each old bundle, does it hang on a known key?  And is each signer of
    the last one known?"""
    bundles = by_time(case.previous)
    last = bundles[-1]
    signers = [signer_of(last, signature) for signature in last.signatures]
    signers = [key for key in signers if key is not None and is_sep(key)]
    ask = setting(case.config, 'check_chain_keys_in_hsm')
    trusted = {public(key) for key in signers if not ask or known(case.config, key)}
    tied = [False] * len(bundles)
    for number in reversed(range(len(bundles))):
        bundle = bundles[number]
        for signature in bundle.signatures:
            key = signer_of(bundle, signature)
            if key is not None and is_sep(key) and public(key) in trusted and \
                    verifies(case.previous, bundle, signature, key):
                tied[number] = True
        if tied[number]:
            trusted |= {public(key) for key in bundle.keys if is_sep(key)}
    return tied, all(known(case.config, key) for key in signers) and len(signers) > 0


def chain_rules(case):
    config, request, previous = case.config, case.request, case.previous
    last, first = by_time(previous)[-1], by_time(request)[0]
    if request.id == previous.id:
        yield 'ID', ALL
    if not same_name(request.domain, previous.domain):
        yield 'SERIAL domain', ALL
    if {bundle.id for bundle in request.bundles} & {bundle.id for bundle in previous.bundles}:
        yield 'BUNDLE-UNIQUE before', ALL
    if setting(config, 'check_chain_keys'):
        zsks = [{(key.flags, key.protocol, public(key)) for key in bundle.keys if not is_sep(key)}
                for bundle in (last, first)]
        if zsks[0] != zsks[1]:
            yield 'CHAIN-KEYS', ALL
        both = d.Document('', '', '', 0, None, None, previous.bundles + request.bundles)
        if names(both) and not names(previous) and not names(request):
            yield 'CHAIN-KEYS identifier', ALL
        if misnamed(config, previous, False) or (
                not setting(config, 'check_chain_keys_in_hsm') and misnamed(config, previous, True)):
            yield 'CHAIN-KEYS label', ALL
    overlap = last.expiration - first.inception
    least, most = (tighter(request.zsk.durations[name], seconds(config['ksk_policy'][POLICY[name]]))
                   for name, tighter in (('MinValidityOverlap', max), ('MaxValidityOverlap', min)))
    if setting(config, 'check_chain_overlap') and not least <= overlap <= most:
        yield 'CHAIN-OVERLAP', ALL
    tied, all_known = tie(case)
    if setting(config, 'check_chain_keys_in_hsm') and not (all(tied) and all_known):
        yield 'CHAIN-KEYS-HSM', KEYED
    if setting(config, 'check_chain_keys_in_hsm') and misnamed(config, previous, True):
        yield 'CHAIN-KEYS-HSM label', KEYED


# The response

def timeline_rules(case, response):
    config = case.config
    old = by_time(case.previous) if case.previous else []
    tied = tie(case)[0] if case.previous else []
    bundles = old + response.bundles
    counts = tied + [True] * len(response.bundles)
    signs = [{(key.flags, public(key)) for key in (signer_of(bundle, each) for each in bundle.signatures)
              if key is not None and is_sep(key)} if counted else set() for bundle, counted in zip(bundles, counts)]
    has = [{(key.flags, public(key)) for key in bundle.keys if is_sep(key)} for bundle in bundles]
    if setting(config, 'check_keys_publish_safety'):
        wanted = seconds(config['ksk_policy']['publish_safety'])
        for at in range(max(len(old), 1), len(bundles)):
            for form in signs[at]:
                if counts[at - 1] and form in signs[at - 1]:
                    continue
                seen = {key for number in range(at) if counts[number] for _, key in has[number]}
                if not form[0] & 0x80 and form[1] in withdrawn(has, counts, at):
                    yield 'PUBLISH-SAFETY revoked', KEYED
                if not (form[1] in seen if form[0] & 0x80 else
                        is_published(bundles, counts, has, at, form, wanted)):
                    yield 'PUBLISH-SAFETY', KEYED
            if not followed(bundles, counts, signs, has, at, wanted) and \
                    followed(bundles, counts, signs, has, at - 1, wanted) and any(
                        not flags & 0x80 and (flags, key) in signs[at - 1] for flags, key in signs[at]):
                yield 'PUBLISH-SAFETY alone', KEYED
    if setting(config, 'check_keys_retire_safety'):
        wanted = seconds(config['ksk_policy']['retire_safety'])
        for at in range(max(len(old), 1), len(bundles)):
            gone = {key for each in signs[:at] for _, key in each} - {key for _, key in has[at]}
            if any(not may_be_gone(bundles, counts, signs, at, key, wanted, len(old)) for key in gone):
                yield 'RETIRE-SAFETY', KEYED


def is_published(bundles, counts, has, at, form, wanted):
    since, begin = at, bundles[at].inception
    while since > 0 and counts[since - 1] and form in has[since - 1] and \
            bundles[since - 1].expiration >= bundles[since].inception:
        since -= 1
    return since < at and begin - bundles[since].inception >= wanted


def withdrawn(has, counts, at):
    """The keys that a bundle before has revoked: for good."""
    return {key for number in range(at) if counts[number] for flags, key in has[number] if flags & 0x80}


def followed(bundles, counts, signs, has, at, wanted):
    """Has the bundle a signer that every validator knows and follows?  It was there
    from the first bundle on, or for PublishSafety."""
    for form in signs[at]:
        since = at
        while since > 0 and counts[since - 1] and form in has[since - 1]:
            since -= 1
        if not form[0] & 0x80 and form[1] not in withdrawn(has, counts, at) and \
                (since == 0 or bundles[at].inception - bundles[since].inception >= wanted):
            return True
    return False


def may_be_gone(bundles, counts, signs, at, key, wanted, new):
    last = max(number for number in range(at) if key in {each for _, each in signs[number]})
    if bundles[at].inception >= bundles[last].expiration + wanted:
        return True
    since = None
    for number in range(at + 1):
        if number < at and counts[number] and (d.REVOKED, key) in signs[number]:
            since = number if since is None else since
        elif since is not None:
            # Revoked from the first bundle on, and gone in an old one: judged then.
            if since == 0 and number < new or bundles[number].inception - bundles[since].inception > wanted:
                return True
            since = None
    return False


def response_rules(case, response):
    config = case.config
    if len(config['schemas']['normal']) < len(response.bundles):
        yield 'SCHEMA too short', ALL
    for number, bundle in enumerate(response.bundles, 1):
        if not {key.algorithm for key in bundle.keys} == {each.algorithm for each in bundle.signatures} == \
                {key.algorithm for key in bundle.keys if not is_sep(key)}:
            yield 'ALGORITHMS', KEYED
        zsks = {d.tag_of(key.rdata()) for key in bundle.keys if not is_sep(key)}
        for name in sum(slot_of(config, number) or [], []):
            pair, stated = case.pairs[name], config['keys'][name]
            plain = d.tag_of(pair.record(d.KSK))
            if {plain, d.tag_of(pair.record(d.REVOKED))} & zsks:
                yield 'TAG-CLASH', KEYED
            if (stated.get('key_tag', plain), stated['algorithm'], stated.get('ds_sha256', '')) != \
                    (plain, MNEMONICS[pair.algorithm],
                     pair.ds(case.response_domain) if 'ds_sha256' in stated else ''):
                yield 'IDENTITY', KEYED
            if stated['label'] != name:
                yield 'IDENTITY label', 's'
        for name in (slot_of(config, number) or [[], [], []])[2]:
            stated = config['keys'][name]
            if stated['valid_from'][:19] > d.time_text(bundle.inception)[:19] or \
                    stated.get('valid_until', '9999')[:19] < d.time_text(bundle.expiration)[:19]:
                yield 'PERIOD', ALL
    yield from timeline_rules(case, response)


def unusable(config):
    """ksrcheck uses no schema; that one is there is not its business."""
    return [(f'configuration: {what}', KEYED if what == 'no schema' else ALL) for what in configuration(config)]


def broken(case):
    """All rules that the case breaks: a list of (name, who)."""
    wrong = unusable(case.config)
    if wrong:
        return wrong
    wrong = list(request_rules(case))
    if case.previous is not None:
        wrong += [*previous_rules(case), *chain_rules(case)]
    return wrong + list(response_rules(case, case.response))


def same_response(a, b):
    """Two responses that differ in nothing but what is free: the order within a
    bundle, and the value of a signature."""

    def plain(document):
        return (document.id, document.domain.lower().rstrip('.'), document.serial, document.zsk.durations,
                sorted(document.zsk.algorithms), document.ksk.durations, sorted(document.ksk.algorithms),
                [(bundle.id, bundle.inception, bundle.expiration,
                  sorted(repr(key) for key in bundle.keys),
                  sorted(repr((each.identifier, each.ttl, each.covers, each.algorithm, each.labels,
                               each.original_ttl, each.expiration, each.inception, each.tag,
                               each.signer.lower().rstrip('.'))) for each in bundle.signatures))
                 for bundle in document.bundles])

    return plain(a) == plain(b)


def response_broken(case):
    """Is the case's response, mutated, still what it must be?"""
    wrong = [rule for rule in broken(case) if 'p' in rule[1]]
    if not same_response(case.mutant, case.response):
        wrong.append(('not what was asked for', 'p'))
    for bundle in case.mutant.bundles:
        for signature in bundle.signatures:
            key = signer_of(bundle, signature)
            if key is None or not verifies(case.mutant, bundle, signature, key):
                wrong.append(('a signature does not verify', 'p'))
    return wrong
