# SPDX-License-Identifier: ISC
"""A card reader on a USB cable, for usbredir.Plug: CCID (its specification, revision
1.1) with whole APDUs, one slot, and a PIN pad if wanted, on which the test presses the
keys."""
import struct

from usbredir import FULL_SPEED, INTERRUPT_ENDPOINT, Device, Endpoint, Interface

POWER_ON, POWER_OFF, SLOT_STATUS, TRANSFER, GET_PARAMETERS, RESET_PARAMETERS, SET_PARAMETERS, ESCAPE, SECURE = (
    0x62, 0x63, 0x65, 0x6f, 0x6c, 0x6d, 0x61, 0x6b, 0x69)
DATA, STATUS, PARAMETERS = 0x80, 0x81, 0x82
ACTIVE, INACTIVE, ABSENT = 0, 1, 2
FAILED, NO_CARD, UNKNOWN_COMMAND, CANCELLED = 0x40, 0xfe, 0x00, 0xef
LARGEST = 65544 + 10
# Whole APDUs, long ones, too; voltage, clock, speed and parameters by itself.
FEATURES = 0x00040000 | 0x000000fe


def descriptor(pad):
    return struct.pack('<BBHBBIIIBIIBIIIIIBBHBB', 54, 0x21, 0x110, 0, 7, 2, 4000, 4000, 0, 10752, 344086, 0, 254, 0, 0,
                       FEATURES, LARGEST, 0xff, 0xff, 0, 1 if pad else 0, 1)


class Reader(Device):
    """card: the card in it, or none; typed: what is pressed on the pad, one PIN a
    question (None: the key that cancels)."""
    # A reader's name is known to pcscd: by its class alone it takes none.
    speed, vendor = FULL_SPEED, 0x04e6
    OUT, IN_, NEWS = 0x01, 0x82, 0x83

    def __init__(self, card=None, pad=False, name='Reader', product=0x5116):
        super().__init__([Interface((0x0b, 0, 0), [Endpoint(self.OUT, packet=64), Endpoint(self.IN_, packet=64),
                                                   Endpoint(self.NEWS, INTERRUPT_ENDPOINT, 8, 255)], descriptor(pad))])
        self.names, self.product = ('', 'Keyroom', name, f'SN-{name}'), product
        self.card, self.powered, self.buffer, self.typed = card, False, b'', []

    def plugged_in(self):
        super().plugged_in()
        self.powered, self.buffer = False, b''

    def insert(self, card):
        self.card, self.powered = card, False
        self.say(self.NEWS, b'\x50\x03')

    def take_out(self):
        card, self.card, self.powered = self.card, None, False
        self.say(self.NEWS, b'\x50\x02')
        return card

    def written(self, endpoint, content):
        self.buffer += content
        while len(self.buffer) >= 10:
            size = 10 + struct.unpack_from('<I', self.buffer, 1)[0]
            if len(self.buffer) < size:
                return
            message, self.buffer = self.buffer[:size], self.buffer[size:]
            answer = self.command(message)
            self.say(self.IN_, answer)
            if len(answer) % 64 == 0:
                self.say(self.IN_, b'')

    def state(self):
        return ABSENT if self.card is None else ACTIVE if self.powered else INACTIVE

    def reply(self, message, kind, content=b'', error=None):
        return struct.pack('<BIBBBBB', kind, len(content), 0, message[6],
                           self.state() | (0 if error is None else FAILED), error or 0, 0) + content

    def command(self, message):
        """One PC_to_RDR message; its RDR_to_PC."""
        kind, content = message[0], message[10:]
        if kind == SLOT_STATUS:
            return self.reply(message, STATUS)
        if kind == POWER_OFF:
            self.powered = False
            return self.reply(message, STATUS)
        if kind in (GET_PARAMETERS, RESET_PARAMETERS, SET_PARAMETERS):
            # T=1, as the card's answer to reset says.
            answer = bytearray(self.reply(message, PARAMETERS, bytes.fromhex('11100045000000'[:14])))
            answer[9] = 1
            return bytes(answer)
        if kind not in (POWER_ON, TRANSFER, SECURE):
            return self.reply(message, STATUS, error=UNKNOWN_COMMAND)
        if self.card is None:
            return self.reply(message, DATA, error=NO_CARD)
        if kind == POWER_ON:
            self.powered = True
            return self.reply(message, DATA, self.card.power_on())
        answer = self.secure(content) if kind == SECURE else self.card.transmit(content)
        if answer is None:
            return self.reply(message, DATA, error=CANCELLED)
        # The card may be gone by the time that it has answered.
        if self.card is None:
            return self.reply(message, DATA, error=NO_CARD)
        return self.reply(message, DATA, answer)

    def secure(self, content):
        """A PIN typed on the pad, put into the APDU that came along."""
        typed = self.typed.pop(0) if self.typed else None
        if content[0] != 0 or typed is None:
            return None
        header = content[15:19]
        pin = typed.encode().ljust(8, b'\xff')
        return self.card.transmit(header + bytes([len(pin)]) + pin)
