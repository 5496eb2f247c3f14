# SPDX-License-Identifier: ISC
"""A SoftHSM token in a folder, for a drive that the guest will mount."""
import os
import subprocess


def make(folder, seen_as, keys, pin='123456', label='keyroom'):
    """Make a token in folder/tokens with the private keys (label to DER file)
    in it, and softhsm2.conf for a guest that sees that folder as seen_as."""
    (folder / 'tokens').mkdir()
    here = folder.parent / 'softhsm2-host.conf'
    here.write_text(f'directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n')
    environment = dict(os.environ, SOFTHSM2_CONF=str(here))

    def run(*command):
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)

    run('softhsm2-util', '--init-token', '--free', '--label', label, '--pin', pin,
        '--so-pin', pin)
    for number, (name, der) in enumerate(keys.items(), 1):
        pem = folder.parent / f'{name}.pem'
        run('openssl', 'pkey', '-inform', 'DER', '-in', str(der), '-out', str(pem))
        run('softhsm2-util', '--import', str(pem), '--token', label, '--label', name,
            '--id', f'{number:02x}', '--pin', pin)
        pem.unlink()
    (folder / 'softhsm2.conf').write_text(
        f'directories.tokendir = {seen_as}\nobjectstore.backend = file\n')
