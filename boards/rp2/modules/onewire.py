# The 1-Wire bus, as MicroPython's onewire module has it. The search is the one of Maxim's application note 187.
import _onewire


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin
        pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def reset(self, required=False):
        present = _onewire.reset(self.pin)
        if required and not present:
            raise OneWireError
        return present

    def readbit(self):
        return _onewire.readbit(self.pin)

    def readbyte(self):
        return _onewire.readbyte(self.pin)

    def readinto(self, buf):
        for index in range(len(buf)):
            buf[index] = self.readbyte()

    def writebit(self, value):
        return _onewire.writebit(self.pin, value)

    def writebyte(self, value):
        return _onewire.writebyte(self.pin, value)

    def write(self, buf):
        for value in buf:
            self.writebyte(value)

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def crc8(self, data):
        return _onewire.crc8(data)

    # The addresses (8 bytes) of all devices on the bus.
    def scan(self):
        found = []
        rom, fork = bytearray(8), 64
        while fork is not None and len(found) < 256:
            rom, fork = self._search(rom, fork)
            if rom is None:
                break
            found.append(rom)
        return found

    # One walk down the tree of addresses: as the last one up to its last fork, there the other way, then by zeros.
    # Gives the address and where the next walk forks; None where there is no other.
    def _search(self, last, fork):
        if not self.reset():
            return None, None
        self.writebyte(self.SEARCH_ROM)
        rom, next_fork = bytearray(8), None
        for index in range(64):
            is_one = self.readbit()
            is_zero = self.readbit()
            if is_one and is_zero:  # nobody answers any more
                return None, None
            bit = is_one
            if not is_one and not is_zero:  # devices of both kinds
                before = last[index >> 3] >> (index & 7) & 1
                bit = before if index < fork else index == fork
                if not bit:
                    next_fork = index
            self.writebit(bit)
            rom[index >> 3] |= bit << (index & 7)
        return rom, next_fork
