# SPDX-License-Identifier: ISC
"""Keymaps of the text console, made from X's: the desktop reads X's data, the
kernel wants a table of its own, and both must type the same.

xkb_keymaps.py FOLDER writes what image/rootfs/usr/share/keyroom/keyboards holds;
tests/cli/test_keyboards.py compares."""
import ctypes
import pathlib
import sys

# Of X's data in this version, the disc's (xkb-data in the lock; XKB_CONFIG_ROOT names
# a folder with it); others differ in signs beyond ASCII.
MADE_OF = "2.42"

# Name as typed, X's layout and variant, title.  Without dead keys where there are
# two kinds: nothing that is typed here has an accent, and ~ ^ ` are one key then.
LAYOUTS = [
    ("us", "us", "basic", "US"),
    ("gb", "gb", "basic", "British"),
    ("de", "de", "nodeadkeys", "German"),
    ("ch", "ch", "de_nodeadkeys", "Swiss, German"),
    ("ch-fr", "ch", "fr_nodeadkeys", "Swiss, French"),
    ("fr", "fr", "nodeadkeys", "French"),
    ("be", "be", "nodeadkeys", "Belgian"),
    ("es", "es", "nodeadkeys", "Spanish"),
    ("it", "it", "nodeadkeys", "Italian"),
    ("pt", "pt", "nodeadkeys", "Portuguese"),
    ("br", "br", "nodeadkeys", "Brazilian"),
    ("se", "se", "nodeadkeys", "Swedish"),
    ("no", "no", "nodeadkeys", "Norwegian"),
    ("dk", "dk", "nodeadkeys", "Danish"),
    ("fi", "fi", "nodeadkeys", "Finnish"),
    ("jp", "jp", "106", "Japanese"),
]
KEYS = [*range(2, 14), *range(16, 28), *range(30, 42), 43, *range(44, 54), 86, 89, 124]
CONTROL = {"@": "nul", "[": "Escape", "\\": "Control_backslash", "]": "Control_bracketright",
           "^": "Control_asciicircum", "_": "Control_underscore", "/": "Control_underscore",
           "2": "nul", "3": "Escape", "4": "Control_backslash", "5": "Control_bracketright",
           "6": "Control_asciicircum", "7": "Control_underscore", "8": "Delete"}
# Plain, Shift, AltGr, AltGr with Shift, Control, Control with Shift, Alt.
HEAD = """# SPDX-License-Identifier: ISC
# {title}
# xkb: {layout} {variant}
# Made by tests/cli/xkb_keymaps.py from X's keyboard data.
keymaps 0-5,8
"""


class Names(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


def load():
    xkb = ctypes.CDLL("libxkbcommon.so.0")
    for name in ("xkb_context_new", "xkb_keymap_new_from_names"):
        getattr(xkb, name).restype = ctypes.c_void_p
    xkb.xkb_keysym_to_utf32.restype = ctypes.c_uint32
    return xkb


def levels(xkb, keymap, key):
    """The signs of a key's four levels; None where there is none."""
    found = []
    for level in range(4):
        symbols = ctypes.POINTER(ctypes.c_uint32)()
        count = xkb.xkb_keymap_key_get_syms_by_level(
            ctypes.c_void_p(keymap), ctypes.c_uint32(key + 8), 0, level, ctypes.byref(symbols))
        sign = xkb.xkb_keysym_to_utf32(symbols[0]) if count else 0
        found.append(chr(sign) if 32 <= sign < 0x10000 else None)
    return found


def symbol(sign, letter):
    if sign is None:
        return "VoidSymbol"
    return ("+" if letter and sign.isalpha() else "") + f"U+{ord(sign):04x}"


def control(plain, shifted):
    if plain and plain.isascii() and plain.isalpha():
        return "Control_" + plain.lower()
    return CONTROL.get(plain) or CONTROL.get(shifted) or "VoidSymbol"


def meta(plain):
    return f"0x{0x800 | ord(plain):04x}" if plain and plain.isascii() else "VoidSymbol"


def line(key, signs):
    plain, shifted = signs[:2]
    stroke = control(plain, shifted)
    columns = [symbol(plain, True), symbol(shifted, True), symbol(signs[2], False), symbol(signs[3], False),
               stroke, stroke, meta(plain)]
    return f"keycode {key:3} = " + " ".join(columns)


def keymap_text(xkb, layout, variant, title):
    context = xkb.xkb_context_new(0)
    names = Names(b"evdev", b"pc105", layout.encode(), variant.encode(), None)
    keymap = xkb.xkb_keymap_new_from_names(ctypes.c_void_p(context), ctypes.byref(names), 0)
    if not keymap:
        raise ValueError(f"no layout {layout} {variant}")
    lines = [line(key, levels(xkb, keymap, key)) for key in KEYS]
    return HEAD.format(title=title, layout=layout, variant=variant) + "\n".join(lines) + "\n"


def texts():
    """Name and text of each keymap."""
    xkb = load()
    return {name: keymap_text(xkb, layout, variant, title) for name, layout, variant, title in LAYOUTS}


if __name__ == "__main__":
    for name, text in texts().items():
        (pathlib.Path(sys.argv[1]) / name).write_text(text)
