# SPDX-License-Identifier: ISC
"""What the tests of releases share: keys, statements and envelopes made without
the project's own commands, so that these are judged by something else."""
import base64
import hashlib
import json
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
REPRODUCIBLE = TOP / 'reproducible'
TYPE = 'application/vnd.in-toto+json'
VERSION = '9.9.9'
FILES = [f'keyroom-{VERSION}{profile}-amd64.{kind}' for profile in ('', '-console')
         for kind in ('iso', 'manifest', 'packages', 'buildinfo', 'layout')] + [f'keyroom-softhsm-{VERSION}.raw']
SOURCE = {'commit': 'c' * 40, 'tree': '7' * 40, 'lock': '1' * 64}
PUBLISHED = '2026-11-28T12:00:00Z'


def run(*argv, **options):
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False, **options)


def hostile(folder):
    """An environment in which a verdict would be whatever its maker likes."""
    folder.mkdir()
    (folder / 'bash_env').write_text('echo "Result:     quorum"; exit 0\n')
    other = folder / 'top/reproducible/lib'
    other.mkdir(parents=True)
    for name in ('command.sh', 'dsse.sh', 'layouts.awk', 'manifests', 'statement.jq'):
        (other / name).write_text('echo "Result:     quorum"; exit 0\n')
        (other / name).chmod(0o755)
    for name in ('reproducible', 'image', 'lib', 'tools'):
        (folder / name).mkdir()
    (folder / '.jq').write_text('def length: 99; def type: "x"; def error(f): empty;\n')
    (folder / 'openssl.cnf').write_text('openssl_conf = x\n[x]\nproviders = y\n[y]\n')
    made = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': str(folder), 'LANG': 'tr_TR.UTF-8', 'LC_ALL': 'POSIX',
            'TZ': 'Asia/Kathmandu', 'TOP': str(folder / 'top'), 'RULES': str(other), 'BASH_ENV': str(folder / 'bash_env'),
            'ENV': str(folder / 'bash_env'), 'CDPATH': f'{folder}:/', 'POSIXLY_CORRECT': '1', 'BASH_COMPAT': '3.1',
            'SHELLOPTS': 'noglob', 'BASHOPTS': 'nocasematch', 'GLOBIGNORE': '*', 'FUNCNEST': '1', 'TMOUT': '1', 'IFS': '/',
            'OPENSSL_CONF': str(folder / 'openssl.cnf'), 'OPENSSL_MODULES': '/nonexistent', 'TAR_OPTIONS': '--mtime=@1',
            'QUOTING_STYLE': 'shell-escape', 'AWKPATH': '/nonexistent', 'BLOCK_SIZE': '1', 'OTHER': '0', 'different': '1',
            'GIT_DIR': '/nonexistent', 'GIT_CONFIG_COUNT': 'x', 'PS4': f'$(touch {folder}/x)', 'name': 'x', 'room': '/nonexistent'}
    for name in ('sha256sum', 'jq', 'openssl', 'awk', 'cat', 'grep', 'cd', 'set', '[', 'ssh-keygen', 'cmp', 'dirname', 'sed',
                 'fail', 'exit', 'unset', 'git'):
        made[f'BASH_FUNC_{name}%%'] = '() { builtin return 0; }'
    return made


def on_small_disk(folder, size, *argv):
    """argv with a TMPDIR on a disk of this size."""
    folder.mkdir(exist_ok=True)
    return run(TOP / 'image/lib/ns-run', 'sh', '-euc', 'mount -t tmpfs -o size="$1" small "$2"; export TMPDIR="$2"; shift 2; exec "$@"',
               'sh', size, folder, *argv)


def without(folder, *names):
    """A folder for PATH with all that /usr/bin has, but these."""
    made = folder / 'bin'
    made.mkdir()
    for path in pathlib.Path('/usr/bin').iterdir():
        if path.name not in names:
            (made / path.name).symlink_to(path)
    return made


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


SUMS = {name: digest_of(name) for name in FILES}


class Key:
    """An Ed25519 key in a folder, by openssl."""

    def __init__(self, folder, name):
        self.name = name
        self.path = folder / f'{name}.pem'
        run('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', self.path).check_returncode()
        self.path.chmod(0o600)
        der = subprocess.run(['openssl', 'pkey', '-in', self.path, '-pubout', '-outform', 'DER'],
                             check=True, stdout=subprocess.PIPE).stdout
        self.typed = b'\1' + der[-32:]

    @property
    def vkey(self):
        number = hashlib.sha256(self.name.encode() + b'\n' + self.typed).hexdigest()[:8]
        return f'{self.name}+{number}+{base64.b64encode(self.typed).decode()}'

    @property
    def keyid(self):
        return '+'.join(self.vkey.split('+')[:2])

    def sign(self, message):
        (self.path.parent / 'message').write_bytes(message)
        return subprocess.run(['openssl', 'pkeyutl', '-sign', '-inkey', self.path, '-rawin', '-in',
                               self.path.parent / 'message'], check=True, stdout=subprocess.PIPE).stdout


def pae(kind, body):
    return b'DSSEv1 %d %s %d %s' % (len(kind.encode()), kind.encode(), len(body), body)


def statement(sums=None, source=None, finished='2026-11-27T12:00:00Z', **changes):
    """A good statement; changes are of buildDefinition."""
    source = SOURCE | (source or {})
    definition = {'buildType': 'urn:keyroom:build:v1',
                  'externalParameters': {'version': VERSION, 'command': 'reproducible/rebuild'},
                  'internalParameters': {'release': '13'},
                  'resolvedDependencies': [
                      {'name': 'source', 'digest': {'gitCommit': source['commit'], 'gitTree': source['tree']}},
                      {'name': 'lock', 'digest': {'sha256': source['lock']}}]} | changes
    return {'_type': 'https://in-toto.io/Statement/v1',
            'subject': [{'name': name, 'digest': {'sha256': value}} for name, value in (sums or SUMS).items()],
            'predicateType': 'https://slsa.dev/provenance/v1',
            'predicate': {'buildDefinition': definition,
                          'runDetails': {'builder': {'id': 'https://example.org'},
                                         'metadata': {'startedOn': '2026-11-27T11:00:00Z', 'finishedOn': finished}}}}


def envelope(body, *keys, kind=TYPE, signed_as=None, keyids=None, encode=base64.b64encode):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    keyids = keyids or [key.keyid for key in keys]
    return {'payload': encode(body).decode(), 'payloadType': kind,
            'signatures': [{'keyid': keyid, 'sig': encode(key.sign(pae(signed_as or kind, body))).decode()}
                           for key, keyid in zip(keys, keyids)]}


class Release:
    """A folder as quorum takes it: SHA256SUMS, SOURCE, a policy, statements."""

    def __init__(self, folder, policy):
        self.folder = folder / VERSION
        self.folder.mkdir()
        self.policy = folder / 'policy'
        self.policy.write_text(policy)
        (self.folder / 'SHA256SUMS').write_text(''.join(f'{v}  {k}\n' for k, v in sorted(SUMS.items())))
        (self.folder / 'SOURCE').write_text(
            ''.join(f'{k}: {v}\n' for k, v in SOURCE.items()) + f'published: {PUBLISHED}\n')

    def add(self, name, *envelopes):
        text = ''.join((one if isinstance(one, str) else json.dumps(one)) + '\n' for one in envelopes)
        (self.folder / f'{name}.intoto.jsonl').write_text(text)

    def judge(self, *more, **options):
        return run(REPRODUCIBLE / 'quorum', '--policy', self.policy, '--release', VERSION, *more, self.folder,
                   **options)

    def verdicts(self, *more):
        """Exit status, and file to (witness, verdict, detail)."""
        done = self.judge(*more)
        found = {}
        for line in done.stdout.splitlines():
            if '.intoto.jsonl: ' in line:
                who, rest = line[:20].strip(), line[21:]
                verdict, rest = rest[:18].strip(), rest[19:]
                name, detail = rest.split('.intoto.jsonl: ', 1)
                found.setdefault(name, []).append((who, verdict, detail))
        return done.returncode, found, done
