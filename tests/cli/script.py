# SPDX-License-Identifier: ISC
"""Scripts of ceremonies for the tests, by the reader that the disc has: "ceremony
list" (man/ceremony.1)."""
import re
import subprocess


class Line:
    """A line that must appear; pattern finds it in what was shown."""

    def __init__(self, kind, text='', answer=''):
        self.kind, self.text, self.answer = kind, text, answer
        if kind == 'regex':
            self.pattern = text
        elif kind == 'glob':
            self.pattern = re.escape(text).replace(r'\*', '[^\r\n]*').replace(r'\?', '.')
        else:
            self.pattern = re.escape(text)


class Item:
    """kind: text, note, confirm, value, command, shown."""

    def __init__(self, kind, *fields):
        self.kind, self.fields, self.lines = kind, fields, []
        self.status = int(fields[0]) if kind == 'command' else None
        self.text = fields[-1] if fields else ''


class Step:
    def __init__(self, number, roles, minutes, title):
        self.number, self.roles, self.minutes, self.title = int(number), roles.split(), int(minutes), title
        self.items = []

    @property
    def commands(self):
        return [item for item in self.items if item.kind == 'command']


def read(programs, path):
    """The steps of a script, those of all acts."""
    done = subprocess.run([programs / 'ceremony', 'list', path], check=True, text=True, stdout=subprocess.PIPE)
    steps = []
    for line in done.stdout.splitlines():
        kind, *fields = line.split('\t')
        if kind == 'step':
            steps.append(Step(*fields))
        elif kind in ('see', 'glob', 'regex', 'answer', 'break'):
            steps[-1].items[-1].lines.append(Line(kind, *fields))
        elif kind != 'act' and steps:
            steps[-1].items.append(Item(kind, *fields))
    return steps


def commands(programs, path):
    return [item for step in read(programs, path) for item in step.commands]
