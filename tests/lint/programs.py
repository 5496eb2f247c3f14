# SPDX-License-Identifier: ISC
"""Which commands a shell script or a Python test runs: read from their text, for
test_programs.py.  Of a script, each word where a command stands, outside quotes,
comments and here-documents, and inside $( ) and <( ); of a test, the first word of what is
given to subprocess and to the tests' own ways of running things."""
import ast
import re

NAME = re.compile(r'[a-z][a-z0-9_.+-]*')
# After these a command stands, as after ; & | ( { and a line's end.
OPENERS = {'if', 'then', 'else', 'elif', 'do', 'while', 'until', '!', '{', 'time', 'exec', 'command', 'nice', 'env',
           'nohup', 'sudo', 'xargs', 'eval', 'builtin'}
KEYWORDS = OPENERS | {
    'fi', 'done', 'esac', 'for', 'case', 'in', 'select', 'function', '[', '[[', '}', 'alias', 'bg', 'bind', 'break', 'cd',
    'compgen', 'continue', 'coproc', 'declare', 'disown', 'echo', 'exit', 'export', 'false', 'fg', 'getopts', 'hash', 'jobs',
    'kill', 'let', 'local', 'mapfile', 'printf', 'pwd', 'read', 'readonly', 'return', 'set', 'shift', 'shopt', 'source',
    'test', 'times', 'trap', 'true', 'type', 'typeset', 'ulimit', 'umask', 'unalias', 'unset', 'wait', ':', '.'}
# Whose first argument is a program, or a list that begins with one.
RUNNERS = {'run', 'Popen', 'check_output', 'check_call', 'call', 'output', 'start', 'execvp', 'which', 'run_tty', 'command'}
SHELLS = {'sh', 'bash', 'dash'}


def here_documents(text):
    """The text without them."""
    kept, end = [], None
    for line in text.split('\n'):
        if end is not None:
            if line.strip('\t') == end:
                end = None
            continue
        kept.append(line)
        found = re.search(r'<<-?\s*[\'"\\]?(\w+)', line)
        if found and not re.search(r'<<<', line):
            end = found.group(1)
    return '\n'.join(kept)


def unquoted(text):
    """Comments and quoted text are blanked; what stands in $( ) within double quotes
    is a script of its own, and comes behind a line's end."""
    out, more, i, depth = [], [], 0, []
    while i < len(text):
        c = text[i]
        if c == '\\' and i + 1 < len(text):
            out.append(' ' if text[i + 1] == '\n' else '_')
            i += 2
        elif c == "'":
            i = text.find("'", i + 1) + 1 or len(text)
            out.append('_')
        elif c == '"':
            i, inside = double_quoted(text, i + 1)
            more += inside
            out.append('_')
        elif c == '#' and (i == 0 or text[i - 1] in ' \t\n;(|&'):
            i = text.find('\n', i) if '\n' in text[i:] else len(text)
        elif text.startswith('${', i):
            i, inside = parameter(text, i + 2)
            more += inside
            out.append('_')
        elif text.startswith('$((', i):
            i = text.find('))', i) + 2
            out.append('_')
        elif text[i:i + 2] in ('$(', '<(', '>('):
            i, part = balanced(text, i + 2)
            more.append(part)
            out.append('_')
        else:
            out.append(c)
            i += 1
    return ''.join(out) + ''.join('\n' + unquoted(part) for part in more)


def balanced(text, i):
    """Behind the ")" that closes what is open at i, and what stands before it."""
    start, depth = i, 1
    while i < len(text) and depth:
        if text[i] == '\\':
            i += 1
        elif text[i] == "'":
            i = text.find("'", i + 1)
        elif text[i] == '"':
            i = double_quoted(text, i + 1)[0] - 1
        elif text[i] in '()':
            depth += 1 if text[i] == '(' else -1
        i += 1
    return i, text[start:i - 1]


def parameter(text, i):
    """Behind the "}" of ${...}, and the scripts in it."""
    depth, inside = 1, []
    while i < len(text) and depth:
        if text.startswith('$(', i):
            i, part = balanced(text, i + 2)
            inside.append(part)
            continue
        if text[i] == '\\':
            i += 1
        elif text[i] in '{}':
            depth += 1 if text[i] == '{' else -1
        i += 1
    return i, inside


def double_quoted(text, i):
    """Behind the closing quote, and the scripts in $( ) before it."""
    inside = []
    while i < len(text) and text[i] != '"':
        if text.startswith('$((', i):
            i = text.find('))', i) + 2
        elif text.startswith('$(', i):
            i, part = balanced(text, i + 2)
            inside.append(part)
        elif text.startswith('${', i):
            i, more = parameter(text, i + 2)
            inside += more
        else:
            i += 2 if text[i] == '\\' else 1
    return i + 1, inside


def of_shell(text):
    """(commands, functions that are defined here)."""
    text = unquoted(here_documents(text))
    functions = set(re.findall(r'^\s*([a-zA-Z_]\w*)\s*\(\)', text, re.M))
    text = re.sub(r'\b\w+\+?=\([^)]*\)', '_=_', text)       # arrays
    # The patterns of a case: "a | b)" at a line's start, or behind "in" and ";;".
    text = re.sub(r'(?m)(^\s*|\bin\s+|;;\s*)[^\s()$;&][^()\n$;&]*\)', r'\1;', text)
    found = set()
    for piece in re.split(r'[;&|()\n`]+|\$\(', text):
        words = [word for word in piece.split() if not re.fullmatch(r'[0-9]*[<>].*', word)]
        while words and (re.match(r'[A-Za-z_]\w*(\[[^]]*\])?\+?=', words[0]) or words[0] in OPENERS
                         or words[0].startswith('-')):
            words.pop(0)
        if words and NAME.fullmatch(words[0]) and words[0] not in KEYWORDS:
            found.add(words[0])
    return found - functions, functions


def strings(node):
    """A call's words, as far as they stand there as such."""
    for one in node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]:
        yield one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None


def of_words(words):
    """Commands of one argument list: its first, what a wrapper starts, a shell's script."""
    found = set()
    if not words or words[0] is None:
        return found
    name = words[0].rsplit('/', 1)[-1]
    if '/' in words[0] and not re.match(r'/(usr/)?s?bin/', words[0]) or not NAME.fullmatch(name):
        return found
    found.add(name)
    if name in SHELLS:
        for option, script in zip(words[1:], words[2:]):
            if option and re.fullmatch(r'-\w*c', option) and script:
                found |= of_shell(script)[0]
    if name in ('unshare', 'nice', 'setsid', 'env', 'timeout', 'strace', 'valgrind', 'setpriv', 'xargs'):
        rest = list(words[1:])
        while rest and rest[0] is not None and (rest[0].startswith('-') or '=' in rest[0] or rest[0].isdigit()):
            if rest.pop(0) == '--propagation':
                rest.pop(0)
        found |= of_words(rest)
    return found


def of_python(text):
    """(commands, words that are one if there is a program of that name): what a file
    gives to a "run" of its own may be a program's argument as well."""
    found, maybe = set(), set()
    tree = ast.parse(text)
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and \
                node.func.value.id in ('guest', 'machine'):
            continue            # in a virtual machine
        if name not in RUNNERS or not node.args:
            continue
        if isinstance(node.args[0], (ast.List, ast.Tuple)):
            found |= of_words(list(strings(node.args[0])))
            continue
        unsure = (name in own if isinstance(node.func, ast.Name) else name in ('run', 'call', 'start', 'output', 'command'))
        words = of_words([word for argument in node.args for word in strings(argument)])
        (maybe if unsure else found).update(words)
    return found, maybe
