# SPDX-License-Identifier: ISC
"""A disc of a few megabytes with everything that the real one has: root with hash
tree and parity, kernel, initramfs, EFI image, GRUB's image and configuration, and
its records; made by the project's own steps where these run on the host."""
import hashlib
import os
import pathlib
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
NAME = 'keyroom-9.9.9-amd64'
EPOCH = 1795392000
TOOLS = ['xorriso', 'mksquashfs', 'mformat', '/usr/sbin/veritysetup']


def missing():
    return [tool for tool in TOOLS if not shutil.which(tool)]


def call(*argv, epoch=False, **options):
    return subprocess.run(list(map(str, argv)), check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC',
                               **({'SOURCE_DATE_EPOCH': str(EPOCH)} if epoch else {})},
                          **options).stdout


def fill(folder, seed=1):
    """Bytes that do not compress, always the same."""
    made = b''
    while len(made) < folder:
        made += hashlib.sha256(b'%d %d' % (seed, len(made))).digest()
    return made[:folder]


def tree(folder):
    """A root: programs, texts, a link, a folder, a file that only root reads."""
    files = {'usr/bin/tool': b'#!/bin/sh\necho tool\n', 'etc/release': b'Keyroom 9.9.9\n', 'etc/list': b'a\nb\nc\n',
             'usr/share/big': fill(300_000, 2), 'usr/share/doc': b'text\n' * 400}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / 'usr/bin/tool').chmod(0o755)
    (folder / 'etc/release').chmod(0o644)
    os.symlink('tool', folder / 'usr/bin/alias')


def squash(root, image, *more):
    call('mksquashfs', root, image, '-noappend', '-reproducible', '-no-xattrs', '-all-root', '-mkfs-time', EPOCH,
         '-all-time', EPOCH, '-processors', 1, '-b', '131072', *more)


class Disc:
    """Parts in folder/parts, out in folder/NAME.*; each step can be changed by a test."""

    def __init__(self, folder, root=None):
        self.folder = folder
        self.parts = folder / 'parts'
        self.live = self.parts / 'live'
        self.live.mkdir(parents=True)
        self.root = root or folder / 'root'
        if root is None:
            tree(self.root)
        self.iso = folder / f'{NAME}.iso'

    def make_root(self, *more):
        image = self.live / 'root.squashfs'
        squash(self.root, image, *more)
        self.verity = call('sh', TOP / 'image/init/mkverity', image, '00' * 32).splitlines()[-1]
        manifest = call('sh', TOP / 'image/lib/manifest', self.root)
        # The squashfs belongs to root, whoever runs this.
        lines = [line.split(' ', 4) for line in manifest.splitlines()]
        (self.folder / f'{NAME}.manifest').write_text(
            ''.join(f'{kind} {mode} 0 0 {rest}\n' for kind, mode, _, _, rest in lines))
        return self

    def make_boot(self):
        (self.live / 'vmlinuz').write_bytes(fill(100_001, 3))
        (self.live / 'initrd').write_bytes(fill(50_000, 4))
        grub = self.parts / 'boot/grub'
        grub.mkdir(parents=True)
        menu = (TOP / 'image/boot/grub.cfg.in').read_text()
        for key, value in (('VERSION', '9.9.9'), ('MEDIUM', 'KEYROOM_X'), ('VERITY', self.verity), ('DESKTOP', 'no')):
            menu = menu.replace(f'@{key}@', value)
        (grub / 'grub.cfg').write_text(menu)
        (grub / 'bios.img').write_bytes(fill(40_000, 5))
        (grub / 'menu.pf2').write_bytes(fill(3000, 6))
        efi = self.folder / 'efi'
        (efi / 'EFI/BOOT').mkdir(parents=True)
        (efi / 'EFI/BOOT/BOOTX64.EFI').write_bytes(fill(20_000, 7))
        for path in efi.rglob('*'):
            os.utime(path, (EPOCH, EPOCH))
        call('sh', TOP / 'image/lib/mkefi', efi, self.parts / 'boot/efi.img', 1440, '12345678', epoch=True)
        return self

    def make_iso(self, volume='KEYROOM_9_9_9', *more):
        for path in [*self.parts.rglob('*'), self.parts]:
            os.utime(path, (EPOCH, EPOCH))
        self.iso.unlink(missing_ok=True)
        call('xorriso', '-report_about', 'WARNING', '-as', 'mkisofs', '-o', self.iso, '-r', '-iso-level', 3,
             '-V', volume, '-volset', 'KEYROOM_X', '-A', 'KEYROOM', '--modification-date=2026112300000000',
             '-b', 'boot/grub/bios.img', '-no-emul-boot', '-boot-load-size', 4, '-boot-info-table',
             '--efi-boot', 'boot/efi.img', '-efi-boot-part', '--efi-boot-image', '--protective-msdos-label',
             *more, self.parts, epoch=True)
        return self

    def make(self):
        return self.make_root().make_boot().make_iso().publish()

    def publish(self):
        layout = self.folder / f'{NAME}.layout'
        layout.write_text(call(TOP / 'image/lib/layout', self.iso))
        (self.folder / f'{NAME}.packages').write_text('tool 1.0 amd64 ' + '0' * 64 + ' 1 pool/x base\n')
        (self.folder / f'{NAME}.buildinfo').write_text('version: 9.9.9\n')
        (self.folder / 'SHA256SUMS').write_text(''.join(
            f'{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n'
            for path in sorted(self.folder.glob(f'{NAME}.*'))))
        return self

    def place(self, name):
        """Offset and size of a file or part, by the layout that was published."""
        for line in (self.folder / f'{NAME}.layout').read_text().splitlines():
            words = line.split(' ', 4)
            if len(words) == 5 and words[4] == name:
                return int(words[1]), int(words[2])
        raise KeyError(name)
