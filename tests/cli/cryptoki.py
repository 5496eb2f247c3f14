# SPDX-License-Identifier: ISC
"""What no tool does with a SoftHSM token: copy an object, give it another label, write
a public key or a note beside it.  A test's code runs in a process of its own, as the
module is started once in each: edit(hsm, "s.copy(one, [(LABEL, b'copy')])")."""
import ctypes
import pathlib
import subprocess
import sys

from tokens import PIN, SO_PIN, SOFTHSM

WORD = ctypes.c_ulong
DATA, PUBLIC, PRIVATE_KEY, SECRET = 0, 2, 3, 4
CLASS, TOKEN, PRIVATE, LABEL, VALUE = 0, 1, 2, 3, 0x11
KEY_TYPE, ID, SENSITIVE, DECRYPT, WRAP, UNWRAP, SIGN, SIGN_RECOVER, VERIFY = 0x100, 0x102, 0x103, 0x105, 0x106, 0x107, 0x108, 0x109, 0x10a
MODULUS_BITS, EXPONENT, EXTRACTABLE, EC_PARAMS, EC_POINT, VALUE_LEN = 0x121, 0x122, 0x162, 0x180, 0x181, 0x161
RSA_PAIR, EC_PAIR = 0x0, 0x1040
P256 = bytes.fromhex('06082a8648ce3d030107')


class Attribute(ctypes.Structure):
    _fields_ = [('type', WORD), ('value', ctypes.c_void_p), ('length', WORD)]


class Mechanism(ctypes.Structure):
    _fields_ = [('type', WORD), ('value', ctypes.c_void_p), ('length', WORD)]


def check(rv):
    assert rv == 0, hex(rv)


def template(pairs):
    """The array, which keeps its values alive."""
    array = (Attribute * len(pairs))()
    array.kept = []
    for at, (kind, value) in enumerate(pairs):
        if isinstance(value, bool):
            value = bytes([value])
        elif isinstance(value, int):
            value = value.to_bytes(ctypes.sizeof(WORD), sys.byteorder)
        array.kept.append(ctypes.create_string_buffer(value, max(1, len(value))))
        array[at] = Attribute(kind, ctypes.cast(array.kept[-1], ctypes.c_void_p), len(value))
    return array


class Session:
    def __init__(self, label, pin=PIN):
        self.library = ctypes.CDLL(SOFTHSM)
        self.call('C_Initialize', None)
        slots, count = (WORD * 64)(), WORD(64)
        self.call('C_GetSlotList', 1, slots, ctypes.byref(count))
        info = ctypes.create_string_buffer(512)
        for slot in list(slots)[:count.value]:
            self.call('C_GetTokenInfo', WORD(slot), info)
            if info.raw[:32].decode().rstrip() == label:
                break
        self.handle = WORD()
        self.call('C_OpenSession', WORD(slot), WORD(6), None, None, ctypes.byref(self.handle))
        if pin:
            self.call('C_Login', self.handle, WORD(1), pin.encode(), WORD(len(pin)))

    def call(self, name, *arguments):
        check(getattr(self.library, name)(*arguments))

    def create(self, pairs):
        self.call('C_CreateObject', self.handle, template(pairs), WORD(len(pairs)), ctypes.byref(WORD()))

    def find(self, *pairs):
        found, count = (WORD * 100)(), WORD()
        self.call('C_FindObjectsInit', self.handle, template(pairs), WORD(len(pairs)))
        self.call('C_FindObjects', self.handle, found, WORD(100), ctypes.byref(count))
        self.call('C_FindObjectsFinal', self.handle)
        return list(found)[:count.value]

    def get(self, one, kind):
        value = ctypes.create_string_buffer(5000)
        got = Attribute(kind, ctypes.cast(value, ctypes.c_void_p), 5000)
        self.call('C_GetAttributeValue', self.handle, WORD(one), ctypes.byref(got), WORD(1))
        return value.raw[:got.length]

    def set(self, one, pairs):
        self.call('C_SetAttributeValue', self.handle, WORD(one), template(pairs), WORD(len(pairs)))

    def copy(self, one, pairs):
        self.call('C_CopyObject', self.handle, WORD(one), template(pairs), WORD(len(pairs)), ctypes.byref(WORD()))

    def destroy(self, one):
        self.call('C_DestroyObject', self.handle, WORD(one))

    def generate(self, mechanism, public, private):
        self.call('C_GenerateKeyPair', self.handle, ctypes.byref(Mechanism(mechanism, None, 0)),
                  template(public), WORD(len(public)), template(private), WORD(len(private)),
                  ctypes.byref(WORD()), ctypes.byref(WORD()))


def label_token(label):
    """A new token with a label of any bytes; it has no user yet."""
    library = ctypes.CDLL(SOFTHSM)
    slots, count = (WORD * 64)(), WORD(64)
    check(library.C_Initialize(None))
    check(library.C_GetSlotList(1, slots, ctypes.byref(count)))
    check(library.C_InitToken(WORD(slots[count.value - 1]), SO_PIN.encode(), WORD(len(SO_PIN)), label.ljust(32)))
    check(library.C_Finalize(None))


def run_label_token(hsm, label):
    subprocess.run([sys.executable, '-c', f'import cryptoki; cryptoki.label_token({label!r})'], check=True, timeout=60,
                   env={**hsm.env, 'PYTHONPATH': str(pathlib.Path(__file__).parent)})


def edit(hsm, code, token='T1'):
    """Run code with s, a session of the token's user; what it prints."""
    code = f'from cryptoki import *\ns = Session({token!r})\n{code}\ns.call("C_Finalize", None)\n'
    done = subprocess.run([sys.executable, '-c', code], env={**hsm.env, 'PYTHONPATH': str(pathlib.Path(__file__).parent)},
                          cwd=hsm.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
