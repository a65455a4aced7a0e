"""What the link changes in IP packets: addresses and ports of a NAT, single bits of a bad line."""

import struct

TCP = 6
UDP = 17


class Layout:
    """Where the fields of an IPv4 or IPv6 packet are; `protocol` is 0 for what the link only carries."""

    __slots__ = ("protocol", "source", "destination", "address_size", "header_sum", "transport", "transport_sum")

    def __init__(self, packet):
        version = packet[0] >> 4
        if version == 4 and len(packet) >= 20:
            self.protocol, self.transport = packet[9], (packet[0] & 15) * 4
            self.source, self.destination, self.address_size, self.header_sum = 12, 16, 4, 10
            if packet[6] & 0x1F or packet[7]:
                self.protocol = 0  # a later fragment has no ports
        elif version == 6 and len(packet) >= 40:
            self.protocol, self.transport = packet[6], 40
            self.source, self.destination, self.address_size, self.header_sum = 8, 24, 16, None
        else:
            self.protocol = 0
            return
        room = {UDP: 8, TCP: 20}.get(self.protocol)
        if room is None or len(packet) < self.transport + room:
            self.protocol = 0
            return
        self.transport_sum = self.transport + (6 if self.protocol == UDP else 16)


def is_multicast(packet):
    """Neighbour discovery and the like: the kernel's own talk, for which nobody is behind the link."""
    return packet[0] >> 4 == 6 and len(packet) >= 40 and packet[24] == 0xFF


def _amend(packet, at, old, new):
    """Changes the checksum at `at` for one 16-bit word that changed (RFC 1624, equation 3)."""
    total = (~struct.unpack_from("!H", packet, at)[0] & 0xFFFF) + (~old & 0xFFFF) + new
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into("!H", packet, at, ~total & 0xFFFF)


def _replace(packet, at, new, sums):
    """Writes `new`, of even length at an even place, and keeps the checksums at `sums` right."""
    for offset in range(0, len(new), 2):
        old_word = struct.unpack_from("!H", packet, at + offset)[0]
        new_word = struct.unpack_from("!H", new, offset)[0]
        for place in sums:
            _amend(packet, place, old_word, new_word)
    packet[at:at + len(new)] = new


def flip_bit(packet, layout, random):
    """A copy of `packet` with one bit of its transport payload flipped, or None if there is nothing to flip.

    Kernels drop what their checksum finds wrong, so the programs would only see a loss. The checksum of UDP is made right
    again: the datagram arrives, and it is for the program to find that it is not what was sent.
    """
    if layout.protocol == 0:
        return None
    start = layout.transport + (8 if layout.protocol == UDP else 20)
    if start >= len(packet):
        return None
    copy = bytearray(packet)
    at = random.randrange(start, len(copy))
    word_at = at - (at - layout.transport) % 2
    word = bytearray(copy[word_at:word_at + 2].ljust(2, b"\0"))
    word[at - word_at] ^= 1 << random.randrange(8)
    if layout.protocol == UDP and copy[layout.transport_sum:layout.transport_sum + 2] != b"\0\0":
        old = copy[word_at:word_at + 2].ljust(2, b"\0")
        _amend(copy, layout.transport_sum, *struct.unpack("!HH", bytes(old) + bytes(word)))
        if copy[layout.transport_sum:layout.transport_sum + 2] == b"\0\0":
            copy[layout.transport_sum:layout.transport_sum + 2] = b"\xff\xff"
    copy[at] = word[at - word_at]
    return bytes(copy)


class Nat:
    """A NAT before side b that forgets its mappings of UDP from time to time.

    Afterwards what b sends comes from another port (and address, if asked), and what is sent to the old ones is lost
    without a word. Before the first time everything passes unchanged.
    """

    def __init__(self, moves, move_address):
        self.moves = sorted(moves)
        self.move_address = move_address
        self.sent = 0
        self.generation = 0
        self.open = set()
        self.dropped = 0

    def rebind(self):
        """All mappings are gone."""
        self.generation += 1
        self.open.clear()

    def _shifted_address(self, address, sign):
        if not self.move_address:
            return address
        return address[:-1] + bytes([address[-1] + sign * self.generation])

    def outward(self, packet, layout):
        """A packet of b, as the other side sees it."""
        if layout.protocol != UDP:
            return packet
        self.sent += 1
        if self.moves and self.sent > self.moves[0]:
            self.moves.pop(0)
            self.rebind()
        if self.generation == 0:
            return packet
        copy = bytearray(packet)
        port = struct.unpack_from("!H", copy, layout.transport)[0] ^ self.generation
        self.open.add(port)
        sums = self._transport_sums(copy, layout)
        _replace(copy, layout.transport, struct.pack("!H", port), sums)
        self._move(copy, layout, layout.source, 1, sums)
        return bytes(copy)

    def inward(self, packet, layout):
        """A packet to b, as b gets it; None if no mapping leads to b."""
        if layout.protocol != UDP or self.generation == 0:
            return packet
        copy = bytearray(packet)
        at = layout.transport + 2
        port = struct.unpack_from("!H", copy, at)[0]
        sums = self._transport_sums(copy, layout)
        original = self._move(copy, layout, layout.destination, -1, sums)
        if port not in self.open or not original:
            self.dropped += 1
            return None
        _replace(copy, at, struct.pack("!H", port ^ self.generation), sums)
        return bytes(copy)

    def _transport_sums(self, packet, layout):
        # Zero stands for "no checksum" in UDP over IPv4.
        unchecked = packet[layout.transport_sum:layout.transport_sum + 2] == b"\0\0"
        return () if unchecked else (layout.transport_sum,)

    def _move(self, packet, layout, at, sign, sums):
        """Moves the address at `at` by the generation; False if the address is not b's present one."""
        if not self.move_address:
            return True
        address = bytes(packet[at:at + layout.address_size])
        if sign < 0 and address[-1] != 2 + self.generation:
            return False
        header = () if layout.header_sum is None else (layout.header_sum,)
        _replace(packet, at, self._shifted_address(address, sign), (*sums, *header))
        return True
