# SPDX-License-Identifier: ISC
"""The programs, and ldns, on one case."""
import json
import subprocess

import dnssec
import documents as d

# Refused by a check, the configuration, an input; or done.
VERDICTS = {0: 'accept', 1: 'refuse', 2: 'refuse', 3: 'refuse'}
TIMEOUT = 20


class Judges:
    def __init__(self, world, folder):
        self.hsm, self.folder, self.programs = world.hsm, folder, world.hsm.programs
        folder.mkdir()

    def write(self, case):
        files = {'config.json': json.dumps(case.config, indent=1), 'ksr.xml': d.write(case.request),
                 'previous.xml': d.write(case.previous), 'skr.xml': d.write(case.mutant or case.response)}
        for name, text in {**files, **case.texts}.items():
            (self.folder / name).write_text(text, encoding='utf-8', newline='')

    def run(self, program, *words):
        done = subprocess.run([self.programs / program, '--config', 'config.json', '--previous-skr', 'previous.xml',
                               *words], cwd=self.folder, env=self.hsm.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT)
        out = done.stdout.decode(errors='replace')
        return VERDICTS.get(done.returncode, f'exit status {done.returncode}'), out

    def ksrcheck(self):
        return self.run('ksrcheck', 'ksr.xml')

    def skrcheck(self, response='skr.xml'):
        return self.run('skrcheck', 'ksr.xml', response)

    def ksrsigner(self):
        for left in [*self.folder.glob('made.xml'), *self.folder.glob('ksrsigner-*.log')]:
            left.unlink()
        verdict, out = self.run('ksrsigner', '--force', 'ksr.xml', 'made.xml')
        if (verdict == 'accept') != (self.folder / 'made.xml').exists():
            verdict = f'{verdict}, and the response is{" not" if verdict == "accept" else ""} there'
        return verdict, out

    def ldns(self, text, number):
        """What ldns-verify-zone says against the response's bundles; '' for nothing."""
        try:
            dnssec.validate(text, self.folder / f'ldns-{number}')
        except AssertionError as error:
            return str(error) or 'ldns complains'
        return ''

    def ldns_ds(self, pair, owner):
        """Tag and DS of a key, by ldns-key2ds."""
        import base64
        record = f'{owner} IN DNSKEY 257 3 {pair.algorithm} {base64.b64encode(pair.public).decode()}\n'
        (self.folder / 'key').write_text(record)
        done = subprocess.run(['ldns-key2ds', '-n', '-2', self.folder / 'key'], stdout=subprocess.PIPE, text=True,
                              check=True)
        words = done.stdout.split()
        return int(words[4]), ''.join(words[7:]).upper()
