# SPDX-License-Identifier: ISC
"""Files that are no request, and what the operator is told of each: for
cli/test_norequest.py on the host and boot/test_mishaps.py on the disc.  NO stands for a
folder that is empty before, KSR for a good request.

name: (how it is made, exit status, the sentences as regular expressions)"""
FILE = 'KSR-FILE: NO/ksr.xml: '
REFUSED = 'ksrsigner: refused by KSR-FILE'
MALFORMED = rf'error: {FILE}line \d+: not well-formed XML: \w.*'       # then in libxml2's words
LAUGHS = (
    r"""{ printf '<!DOCTYPE KSR [<!ENTITY a "lol">'; p=a; for n in b c d e f g h i j; do """
    r"""printf '<!ENTITY %s "&%s;&%s;&%s;&%s;&%s;&%s;&%s;&%s;">' $n $p $p $p $p $p $p $p $p; p=$n; done; """
    r"""printf ']><KSR>&j;</KSR>'; } >NO/ksr.xml""")
REQUESTS = {
    # It is read as what it leads to, up to the question.
    'a link': ('ln -s KSR NO/ksr.xml', 1, ['ksrsigner: Is this correct: no terminal to ask on, and no --force']),
    'a link into nothing': ('ln -s /nowhere NO/ksr.xml', 3,
                            ['ksrsigner: NO/ksr.xml: cannot open: No such file or directory']),
    'a folder': ('mkdir NO/ksr.xml', 3, ['ksrsigner: NO/ksr.xml: not a regular file']),
    'a pipe': ('mkfifo NO/ksr.xml', 3, ['ksrsigner: NO/ksr.xml: not a regular file']),
    'a device': ('ln -s /dev/zero NO/ksr.xml', 3, ['ksrsigner: NO/ksr.xml: not a regular file']),
    '100 MB': ('truncate -s 100M NO/ksr.xml', 1,
               [f'error: {FILE}104857600 bytes, larger than the 1048576 allowed', REFUSED]),
    'a billion laughs': (LAUGHS, 1, [f'error: {FILE}line 1: a document type declaration is not allowed', REFUSED]),
    'control characters': (r"sed 's/<KSR /<KSR \x1b[2J\x07 /' KSR >NO/ksr.xml", 1, [MALFORMED, REFUSED]),
    'nothing': (': >NO/ksr.xml', 1, [f'error: {FILE}empty, expected a KSR or SKR', REFUSED]),
    'half of one': ('head -c 3000 KSR >NO/ksr.xml', 1, [MALFORMED, REFUSED]),
}


def requests(folder, request):
    """(name, command, status, sentences) with the folder and the request named."""
    for name, (command, status, sentences) in REQUESTS.items():
        yield (name, command.replace('KSR NO', f'{request} NO').replace('KSR >', f'{request} >').replace('NO/', f'{folder}/'),
               status, [one.replace('NO/', f'{folder}/') for one in sentences])
