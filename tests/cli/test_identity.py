# SPDX-License-Identifier: ISC
"""Shows: a key acts under a configured label only where it is the configured key,
and what is known of a key (no private half, another key's half, not for signing,
the PIN wanted each time) is known before the question; labels are compared byte
by byte and shown so; tags in use are avoided.  Matters: what is signed, moved or
certified under a label is taken for the key of that name."""
import base64
import json
import re
import shutil
import subprocess

import pytest
from rehearsal import Rehearsal, use
from tokens import PIN, SOFTHSM, compile_faulty

NONE = ('--no-previous-skr', 'rehearsal')
QUESTION = 'Is this correct (y/N)? '


@pytest.fixture(params=[8, 13], ids=['RSA', 'P-256'])
def zone(request, tmp_path, programs):
    """A request, and the key ksk to sign it."""
    zone = Rehearsal(tmp_path, programs, bundles=3, algorithm=request.param)
    zone.add_ksk('ksk')
    zone.configure(zone.normal('ksk'), zone.ask())
    return zone


def tool(zone, *words):
    subprocess.run(['pkcs11-tool', '--module', SOFTHSM, '--token-label', 'T1', '--login', '--pin', PIN, *words],
                   check=True, capture_output=True, env=zone.hsm.env, cwd=zone.folder)


def sign(zone, *words):
    return zone.hsm.run('ksrsigner', '--force', *NONE, *words, zone.request.name, 'skr.xml')


def reconfigure(zone, change):
    path = zone.folder / 'ksrsigner.yaml'
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def refused_by_identity(zone, said):
    """Before the question, with the whole report."""
    done = sign(zone)
    assert done.status == 1, done.err
    assert re.search(f'KSK-IDENTITY: key ksk: .*{said}', done.err), done.err
    assert 'FAIL KSK-IDENTITY' in done.out and QUESTION not in done.out and 'hash of KSR' not in done.out
    assert len(re.findall(r'^(?:PASS|FAIL|SKIP) [A-Z-]+', done.out, re.M)) == 29
    assert not (zone.folder / 'skr.xml').exists()


# Before the question

def test_key_without_a_private_half(zone):
    tool(zone, '--delete-object', '--type', 'privkey', '--label', 'ksk')
    refused_by_identity(zone, 'no private key labelled ksk')


@pytest.mark.parametrize('known', [True, False], ids=['its DS', 'its label'])
def test_published_key_without_a_private_half(zone, known):
    """Validators would follow it, and anybody with the token can put it there."""
    zone.add_ksk('new')
    zone.configure(zone.slots((1, use('ksk', publish=['new']))), zone.request)
    if not known:
        reconfigure(zone, lambda config: [config['keys']['new'].pop(name) for name in ('ds_sha256', 'key_tag')])
    assert sign(zone).status == 0
    (zone.folder / 'skr.xml').unlink()
    tool(zone, '--delete-object', '--type', 'privkey', '--label', 'new')
    done = sign(zone)
    assert done.status == 1 and re.search('KSK-IDENTITY: key new: .*no private key labelled new', done.err), done.err
    assert QUESTION not in done.out and not (zone.folder / 'skr.xml').exists()


def test_no_key_at_all(zone):
    for kind in ('privkey', 'pubkey'):
        tool(zone, '--delete-object', '--type', kind, '--label', 'ksk')
    refused_by_identity(zone, r'no key of this label \(keys.ksk\)')


def test_two_keys_of_one_label(zone):
    kind = 'rsa:2048' if zone.algorithm == 8 else 'EC:prime256v1'
    tool(zone, '--keypairgen', '--key-type', kind, '--label', 'ksk', '--id', '77')
    refused_by_identity(zone, 'two public keys are labelled ksk')


def other_public_half(zone):
    """The public half of another key in the place of ours."""
    tool(zone, '--delete-object', '--type', 'pubkey', '--label', 'ksk')
    how = ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] if zone.algorithm == 8 else \
        ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
    for command in (['genpkey', '-algorithm', *how, '-out', 'own.pem'],
                    ['pkey', '-in', 'own.pem', '-pubout', '-outform', 'DER', '-out', 'own.der']):
        subprocess.run(['openssl', *command], cwd=zone.folder, check=True, capture_output=True)
    tool(zone, '--write-object', 'own.der', '--type', 'pubkey', '--label', 'ksk')
    reconfigure(zone, lambda config: [config['keys']['ksk'].pop(name) for name in ('ds_sha256', 'key_tag')])


def test_halves_that_do_not_belong_together(zone):
    other_public_half(zone)
    refused_by_identity(zone, 'not belong together')


def test_key_that_must_not_sign(zone):
    (zone.folder / 'set.c').write_text(
        '#include <p11-kit/pkcs11.h>\n#include <dlfcn.h>\n#include <string.h>\n'
        'int main(void){void*h=dlopen("' + SOFTHSM + '",RTLD_NOW);CK_RV(*g)(CK_FUNCTION_LIST**);'
        '*(void**)&g=dlsym(h,"C_GetFunctionList");CK_FUNCTION_LIST*f;g(&f);f->C_Initialize(0);CK_SLOT_ID s[9];'
        'CK_ULONG n=9;f->C_GetSlotList(1,s,&n);CK_SESSION_HANDLE e;'
        'f->C_OpenSession(s[0],CKF_SERIAL_SESSION|CKF_RW_SESSION,0,0,&e);'
        f'f->C_Login(e,CKU_USER,(CK_UTF8CHAR*)"{PIN}",6);CK_OBJECT_CLASS c=CKO_PRIVATE_KEY;'
        'CK_ATTRIBUTE t={CKA_CLASS,&c,sizeof c};CK_OBJECT_HANDLE o;f->C_FindObjectsInit(e,&t,1);'
        'f->C_FindObjects(e,&o,1,&n);f->C_FindObjectsFinal(e);CK_BBOOL no=0;CK_ATTRIBUTE a={CKA_SIGN,&no,1};'
        'CK_RV rv=f->C_SetAttributeValue(e,o,&a,1);f->C_Finalize(0);return rv!=CKR_OK;}\n')
    flags = subprocess.run(['pkg-config', '--cflags', 'p11-kit-1'], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(['cc', *flags, '-o', 'set', 'set.c'], cwd=zone.folder, check=True)
    subprocess.run([zone.folder / 'set'], env=zone.hsm.env, check=True)
    refused_by_identity(zone, r'not for signing \(CKA_SIGN\)')


@pytest.fixture
def always(zone):
    """The key wants the PIN with each signature."""
    for kind in ('privkey', 'pubkey'):
        tool(zone, '--delete-object', '--type', kind, '--label', 'ksk')
    kind = 'rsa:2048' if zone.algorithm == 8 else 'EC:prime256v1'
    tool(zone, '--keypairgen', '--key-type', kind, '--label', 'ksk', '--id', '77', '--always-auth', '--usage-sign')
    reconfigure(zone, lambda config: [config['keys']['ksk'].pop(name) for name in ('ds_sha256', 'key_tag')])
    return zone


def test_key_that_wants_the_pin_each_time(always):
    done = sign(always)
    assert done.status == 0, done.err
    assert (always.folder / 'skr.xml').read_text().count('<SignatureData>') == 3


def test_the_typed_pin_does_for_all_signatures(always):
    reconfigure(always, lambda config: config['hsm']['soft'].pop('pin'))
    done = always.hsm.converse('ksrsigner', *NONE, always.request.name, 'skr.xml', answers=[('PIN for', PIN), (QUESTION, 'y')])
    assert done.status == 0, done.out
    assert done.out.count('PIN for') == 1 and PIN not in done.out


def behind(zone, faulty, fault):
    """The token through a module with that fault, and no PIN in the configuration."""
    made = {'broken': {'module': str(faulty), 'env': {
        'SOFTHSM2_CONF': str(zone.hsm.conf), 'FAULTY_MODULE': SOFTHSM, 'FAULTY': fault, 'FAULTY_LOG': 'calls'}}}
    reconfigure(zone, lambda config: config.update(hsm=made))


def test_the_pad_asks_for_each_signature(always, tmp_path):
    """The PIN is typed at the token as often as it signs, and the program neither asks for one nor sends one."""
    always.hsm.env['FAULTY_PIN'] = PIN
    behind(always, compile_faulty(tmp_path), 'pin-pad')
    done = sign(always)
    assert done.status == 0, done.err
    calls = (always.folder / 'calls').read_text().split()
    # One before the question: for RSA to see that it can be, on a curve for the proof.
    assert calls.count('C_Login') == 1 and calls.count('C_Login-for-a-signature') == 4, calls
    assert calls.count('C_Sign') == (3 if always.algorithm == 8 else 4)


@pytest.mark.parametrize('fault', ['no-context-login', 'pin-pad,no-context-login'])
def test_no_login_for_a_signature_is_known_before_the_question(always, tmp_path, fault):
    always.hsm.env['FAULTY_PIN'] = PIN
    behind(always, compile_faulty(tmp_path), fault)
    done = always.hsm.converse('ksrsigner', *NONE, always.request.name, 'skr.xml',
                               answers=[] if 'pad' in fault else [('PIN for', PIN)])
    assert done.status == 1 and QUESTION not in done.out, done.out
    assert re.search(r'FAIL KSK-IDENTITY', done.out) and 'CKR_USER_TYPE_INVALID' in done.out, done.out
    assert not (always.folder / 'skr.xml').exists()


# Whatever acts on a configured label

def keygen(hsm, label, *more):
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ECDSAP256SHA256', '--label', label, *more)
    assert done.status == 0, done.err
    return re.search(r' IN DS (\d+) 13 2 ([0-9A-F]{64})', done.out).groups()


def configured(tag, digest, label='k'):
    return (f"keys: {{name: {{label: {label}, algorithm: ECDSAP256SHA256, key_tag: {tag}, ds_sha256: '{digest}', "
            "valid_from: '2020-01-01T00:00:00Z'}}\n")


@pytest.mark.parametrize('wrong', ['ds_sha256', 'key_tag', 'algorithm'])
def test_another_key_under_a_configured_label(hsm, wrong):
    tag, digest = keygen(hsm, 'k', '--extractable')
    hsm.make_token('T2')
    assert hsm.run('keymaster', 'transport', '--token', 'T2', '--output', 't.key').status == 0
    rest = configured(tag, digest)
    acts = [['csr', '--label', 'k', '--output', 'k.csr'],
            ['backup', '--label', 'k', '--transport', 't.key', '--output', 'k.backup', '--force'],
            ['keydelete', '--label', 'k', '--force']]
    hsm.configure(rest={'ds_sha256': configured(tag, '00' * 32), 'key_tag': configured(int(tag) ^ 1, digest),
                        'algorithm': rest.replace('ECDSAP256SHA256', 'ED25519')}[wrong])
    for act in acts:
        done = hsm.run('keymaster', *act)
        assert done.status == 1 and 'KSK-IDENTITY: key k is not keys.name: ' in done.err, (act, done.err)
    assert not (hsm.folder / 'k.csr').exists() and not (hsm.folder / 'k.backup').exists()
    # As it should be, they do.
    hsm.configure(rest=rest)
    for act in acts:
        done = hsm.run('keymaster', *act)
        assert done.status == 0, (act, done.err)


@pytest.mark.parametrize('stated', ['DS', 'tag', 'algorithm'])
def test_restore_of_a_stranger_s_key_leaves_nothing(hsm, stated):
    tag, digest = keygen(hsm, 'k', '--extractable')
    hsm.make_token('T2')
    assert hsm.run('keymaster', 'transport', '--token', 'T2', '--output', 't.key').status == 0
    assert hsm.run('keymaster', 'backup', '--label', 'k', '--transport', 't.key', '--output', 'k.backup', '--force',
                   '--token', 'T1').status == 0
    hsm.configure(rest={'DS': configured(tag, '11' * 32), 'tag': configured(int(tag) ^ 1, digest),
                        'algorithm': configured(tag, digest).replace('ECDSAP256SHA256', 'ED25519')}[stated])
    done = hsm.run('keymaster', 'restore', '--input', 'k.backup', '--token', 'T2')
    assert done.status == 1 and 'k.backup: KSK-IDENTITY: key k is not keys.name: ' in done.err, done.err
    listed = hsm.run('keymaster', 'inventory', '--token', 'T2')
    assert re.search(r'^  k ', listed.out, re.M) is None
    hsm.configure(rest=configured(tag, digest))
    assert hsm.run('keymaster', 'restore', '--input', 'k.backup', '--token', 'T2').status == 0


def test_no_new_key_where_the_configuration_knows_the_old_one(hsm):
    hsm.configure(rest=configured(1, '00' * 32))
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ECDSAP256SHA256', '--label', 'k')
    assert done.status == 1 and 'states the ds_sha256 of this key' in done.err
    hsm.configure(rest="keys: {name: {label: k, algorithm: ED25519, valid_from: '2020-01-01T00:00:00Z'}}\n")
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ECDSAP256SHA256', '--label', 'k')
    assert done.status == 1 and 'has ED25519' in done.err
    done = hsm.run('keymaster', 'transport', '--label', 'k', '--output', 't.key')
    assert done.status == 2 and 'label of keys.name' in done.err
    assert 'no keys' in hsm.run('keymaster', 'inventory').out
    assert hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--label', 'k').status == 0


TOLD = {'keygen': ('--algorithm ED25519 --label k', 'key k was made and is in the token'),
        'transport': ('--output new.key', 'transport key transport was made and is in the token'),
        # A backup that cannot be shown before it is restored is not restored, and
        # a key that cannot be shown before it is destroyed is not destroyed.
        'restore': ('--input k.backup', ''), 'keydelete': ('--label k --force', ''), 'csr': ('--label k --output k.csr', '')}


@pytest.mark.parametrize('command', TOLD)
def test_what_cannot_be_told_is_said_to_be_done(hsm, command):
    """The standard output is full: the key is there, or is not, all the same."""
    words, said = TOLD[command]
    if command != 'keygen':
        keygen(hsm, 'k', '--extractable')
    if command == 'restore':
        for given in ('transport --output t.key', 'backup --label k --transport t.key --output k.backup --force',
                      'keydelete --label k --force'):
            assert hsm.run('keymaster', *given.split()).status == 0
    done = subprocess.run(f'exec {hsm.programs}/keymaster {command} {words} >/dev/full', shell=True, cwd=hsm.folder,
                          env=hsm.env, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 5 and said in done.stderr and 'No space left' in done.stderr, done.stderr
    listed = hsm.run('keymaster', 'inventory').out
    assert bool(re.search(r'^  k +', listed, re.M)) == (command != 'restore')
    assert bool(re.search(r'^  transport +', listed, re.M)) == (command in ('restore', 'transport'))
    assert said in hsm.logs('keymaster')
    # Nothing is said to be made that was there.
    if command == 'transport':
        done = subprocess.run(f'exec {hsm.programs}/keymaster {command} {words} >/dev/full', shell=True, cwd=hsm.folder,
                              env=hsm.env, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 5 and 'was made' not in done.stderr


def test_pin_that_cannot_be_told_is_said_to_be_changed(hsm):
    done = hsm.converse('/bin/sh', '-c', f'exec {hsm.programs}/keymaster changepin >/dev/full',
                        answers=[('new PIN for', '654321'), ('again, new PIN for', '654321')])
    assert done.status == 5 and 'the PIN is changed' in done.out and 'No space left' in done.out, done.out
    assert 'the PIN is changed' in hsm.logs('keymaster')
    hsm.configure(hsm.module(pin='654321'))
    assert hsm.run('keymaster', 'inventory').status == 0


def test_tags_in_use_are_avoided(hsm):
    """A configuration that claims every tag but few: the new key finds one, or none is left in the token."""
    keys = {f'k{n}': {'label': f'l{n}', 'algorithm': 'ED25519', 'key_tag': n * 66, 'valid_from': '2020-01-01T00:00:00Z'}
            for n in range(900)}
    hsm.configure(rest='keys: ' + json.dumps(keys) + '\n')
    used = {key['key_tag'] for key in keys.values()}
    again = 0
    for n in range(30):
        done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--label', f'new{n}')
        assert done.status == 0, done.err
        again += done.out.count('made anew')
        assert int(re.search(r' IN DS (\d+) ', done.out).group(1)) not in used
    # Some in a hundred keys hit one of these 900 tags, in one form or the other.
    assert len(re.findall(r'^  new\d+ ', hsm.run('keymaster', 'inventory').out, re.M)) == 30


def tag_of(public):
    """Of a DNSKEY of algorithm 15 and flags 257."""
    whole = sum(int.from_bytes(public[at:at + 2], 'big') for at in range(0, 32, 2)) + 257 + (3 << 8 | 15)
    return (whole + whole // 65536) % 65536


def ed25519_of_tag(tag):
    """32 bytes that make one with that tag."""
    return next(public for last in range(65536) if tag_of(public := bytes(range(30)) + last.to_bytes(2, 'big')) == tag)


# The public key of RFC 8032 section 7.1, test 1, which the faulty token makes first.
KNOWN = bytes.fromhex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')


# The bit of the revoked form is worth 128.
@pytest.mark.parametrize('by, avoided', [(0, True), (128, True), (-128, True), (1, False)],
                         ids=['same', 'its-own-when-revoked', 'the-others-when-revoked', 'another'])
@pytest.mark.parametrize('stated', ['public_key', 'key_tag'])
def test_tag_of_a_configured_key_is_avoided(hsm, tmp_path, stated, by, avoided):
    """Though no token has that key, and nobody states its tag."""
    faulty = compile_faulty(tmp_path)
    tag = tag_of(KNOWN) + by
    assert 128 <= tag < 65000
    key = {'label': 'other', 'algorithm': 'ED25519', 'valid_from': '2020-01-01T00:00:00Z'}
    if stated == 'public_key':
        key['public_key'] = base64.b64encode(ed25519_of_tag(tag)).decode()
    else:
        key['key_tag'] = tag
    hsm.configure(hsm.module('soft', faulty, PIN, FAULTY_MODULE=SOFTHSM, FAULTY='known-key'),
                  rest='keys: ' + json.dumps({'other': key}) + '\n')
    done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', '--label', 'new')
    assert done.status == 0, done.err
    assert ('made anew' in done.out) == avoided, done.out
    made = int(re.search(r' IN DS (\d+) ', done.out).group(1))
    assert (made == tag_of(KNOWN)) != avoided
    assert len(re.findall(r'^  \w+ +Ed25519', hsm.run('keymaster', 'inventory').out, re.M)) == 1


# Labels and tokens, byte by byte

def make_pair(hsm, label):
    """A pair of keys under a label of any bytes."""
    source = hsm.folder / 'gen.c'
    source.write_text(
        '#include <p11-kit/pkcs11.h>\n#include <dlfcn.h>\n#include <stdio.h>\n#include <string.h>\n'
        'int main(int c,char**v){(void)c;void*h=dlopen("' + SOFTHSM + '",RTLD_NOW);CK_RV(*g)(CK_FUNCTION_LIST**);'
        '*(void**)&g=dlsym(h,"C_GetFunctionList");CK_FUNCTION_LIST*f;g(&f);f->C_Initialize(0);CK_SLOT_ID s[9];'
        'CK_ULONG n=9;f->C_GetSlotList(1,s,&n);CK_SESSION_HANDLE e;'
        'f->C_OpenSession(s[0],CKF_SERIAL_SESSION|CKF_RW_SESSION,0,0,&e);'
        f'f->C_Login(e,CKU_USER,(CK_UTF8CHAR*)"{PIN}",6);unsigned char l[200];size_t m=strlen(v[1])/2;'
        'for(size_t i=0;i<m;i++){unsigned x;sscanf(v[1]+2*i,"%2x",&x);l[i]=(unsigned char)x;}CK_BBOOL t=1;'
        'CK_BYTE p[]={6,8,0x2a,0x86,0x48,0xce,0x3d,3,1,7};'
        'CK_ATTRIBUTE u[]={{CKA_TOKEN,&t,1},{CKA_LABEL,l,m},{CKA_EC_PARAMS,p,sizeof p},{CKA_VERIFY,&t,1}},'
        'r[]={{CKA_TOKEN,&t,1},{CKA_LABEL,l,m},{CKA_SIGN,&t,1},{CKA_PRIVATE,&t,1}};'
        'CK_MECHANISM w={CKM_EC_KEY_PAIR_GEN,0,0};CK_OBJECT_HANDLE a,b;'
        'CK_RV rv=f->C_GenerateKeyPair(e,&w,u,4,r,4,&a,&b);f->C_Finalize(0);return rv!=CKR_OK;}\n')
    flags = subprocess.run(['pkg-config', '--cflags', 'p11-kit-1'], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(['cc', *flags, '-o', 'gen', 'gen.c'], cwd=hsm.folder, check=True)
    subprocess.run([hsm.folder / 'gen', label.hex()], env=hsm.env, check=True)


@pytest.mark.parametrize('label, shown', [
    (b'k\0evil', 'k<00>evil'), (b'k\0', 'k<00>'), (b'k ', 'k<20>'), (b' k', '<20>k'), (b'k\xff', 'k<ff>'),
    (b'caf\xc3\xa9', 'caf<c3><a9>'), (b'k  k', 'k  k'), (b'k\x1b[2J', 'k<1b>[2J'), (b'x' * 129, 'x' * 129)])
def test_inventory_hides_nothing(hsm, label, shown):
    tag, digest = keygen(hsm, 'k')
    hsm.configure(rest=configured(tag, digest))
    make_pair(hsm, label)
    listed = hsm.run('keymaster', 'inventory')
    assert listed.status == 0, listed.err
    lines = [line for line in listed.out.splitlines() if line.startswith('  ')]
    assert len(lines) == 2, listed.out
    strange, = (line for line in lines if 'UNUSABLE' in line)
    assert shown in strange and label.hex() in strange
    assert any('is keys.name' in line for line in lines)
    # It is not in the way of the key that it looks like.
    assert hsm.run('keymaster', 'csr', '--label', 'k', '--output', 'k.csr').status == 0


def test_tokens_by_serial_and_slot(hsm):
    hsm.make_token('T1')
    hsm.make_token('T1 x')
    listed = hsm.run('keymaster', 'inventory')
    slots = re.findall(r'^token (T1(?: x)?) in slot (\d+)', listed.out, re.M)
    serials = re.findall(r'Serial: +(\w+)', hsm.logs('keymaster'))
    assert len(slots) == 3 and len(set(serials)) == 3
    done = hsm.run('keymaster', 'inventory', '--token', 'T1')
    assert done.status == 4 and '2 tokens are labelled T1: say which with --serial or --slot' in done.err
    for option, values in (('--slot', [slot for _, slot in slots]), ('--serial', serials)):
        for value in values:
            done = hsm.run('keymaster', 'inventory', option, value)
            assert done.status == 0 and done.out.count('token T1') == 1, done.err
    assert hsm.run('keymaster', 'inventory', '--token', 'T1 x').status == 0
    for words in (['--serial', 'none'], ['--slot', '1'], ['--token', 'T1 '], ['--token', 't1'], ['--token', 'T1 ?'],
                  ['--token', 'T1 x', '--slot', slots[0][1] if slots[0][0] == 'T1' else slots[1][1]]):
        done = hsm.run('keymaster', 'keygen', '--algorithm', 'ED25519', *words)
        assert done.status == 4 and 'no token is' in done.err, (words, done.err)


def test_environment_of_a_module_that_does_not_start(hsm):
    hsm.configure(hsm.module(SOFTHSM2_CONF='/nonexistent/softhsm2.conf', OTHER='8642'))
    done = hsm.run('keymaster', 'inventory')
    assert done.status == 4 and 'C_Initialize: CKR_GENERAL_ERROR' in done.err
    assert 'hsm.soft.env): SOFTHSM2_CONF, OTHER' in done.err and '8642' not in done.err


# Trust anchors

def anchor(hsm, *words):
    return hsm.run('trustanchor', '--trustanchor', 'a.xml', *words)


@pytest.mark.parametrize('half', ['both', 'public', 'other'])
@pytest.mark.parametrize('stated', [False, True], ids=['no DS', 'DS'])
def test_anchor_needs_a_signature_or_a_ds(hsm, stated, half):
    tag, digest = keygen(hsm, 'k')
    rest = configured(tag, digest)
    hsm.configure(rest=rest if stated else re.sub(r"(key_tag|ds_sha256): '?\w+'?, ", '', rest))
    words = ['pkcs11-tool', '--module', SOFTHSM, '--token-label', 'T1', '--login', '--pin', PIN]
    if half == 'public':
        subprocess.run([*words, '--delete-object', '--type', 'privkey', '--label', 'k'], check=True, capture_output=True,
                       env=hsm.env)
    if half == 'other':
        subprocess.run([*words, '--delete-object', '--type', 'pubkey', '--label', 'k'], check=True, capture_output=True,
                       env=hsm.env)
        for command in (['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'own.pem'],
                        ['pkey', '-in', 'own.pem', '-pubout', '-outform', 'DER', '-out', 'own.der']):
            subprocess.run(['openssl', *command], cwd=hsm.folder, check=True, capture_output=True)
        subprocess.run([*words, '--write-object', 'own.der', '--type', 'pubkey', '--label', 'k'], cwd=hsm.folder, check=True,
                       capture_output=True, env=hsm.env)
    done = anchor(hsm)
    good = half == 'both' or (half == 'public' and stated)
    assert (done.status == 0) == good, done.err
    assert (hsm.folder / 'a.xml').exists() == good
    if not good:
        assert 'KSK-IDENTITY' in done.err


@pytest.mark.parametrize('option', ['--id', '--source'])
@pytest.mark.parametrize('text', ['', ' ', 'a\x01b', 'a\nb', 'x' * 129, b'caf\xe9', 'caf\u00e9', ' a', 'a  b'])
def test_anchor_s_texts(hsm, option, text):
    tag, digest = keygen(hsm, 'k')
    hsm.configure(rest=configured(tag, digest))
    done = anchor(hsm, option, text)
    assert done.status == 2 and f'{option}: expected 1 to 128 characters' in done.err
    assert not (hsm.folder / 'a.xml').exists()
    done = anchor(hsm, option, 'a <b> & "c"')
    assert done.status == 0, done.err
    shutil.copy(hsm.folder / 'a.xml', hsm.folder / 'b.xml')
    subprocess.run(['xmllint', '--noout', 'b.xml'], cwd=hsm.folder, check=True)
