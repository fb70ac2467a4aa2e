# DS18S20 and DS18B20 thermometers on a 1-Wire bus, as MicroPython's ds18x20 module has them.
CONVERT = 0x44
READ_SCRATCH = 0xBE
WRITE_SCRATCH = 0x4E
DS18S20 = 0x10  # the family, in the first byte of an address
FAMILIES = (DS18S20, 0x22, 0x28)


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self.buf = bytearray(9)

    def scan(self):
        return [rom for rom in self.ow.scan() if rom[0] in FAMILIES]

    # All of them begin to measure, which takes up to 750 ms.
    def convert_temp(self):
        self.ow.reset(True)
        self.ow.writebyte(self.ow.SKIP_ROM)
        self.ow.writebyte(CONVERT)

    def read_scratch(self, rom):
        self.ow.reset(True)
        self.ow.select_rom(rom)
        self.ow.writebyte(READ_SCRATCH)
        self.ow.readinto(self.buf)
        if self.ow.crc8(self.buf):
            raise Exception("CRC error")
        return self.buf

    def write_scratch(self, rom, buf):
        self.ow.reset(True)
        self.ow.select_rom(rom)
        self.ow.writebyte(WRITE_SCRATCH)
        self.ow.write(buf)

    # In degrees Celsius; None where the DS18S20's scratch pad makes no sense.
    def read_temp(self, rom):
        buf = self.read_scratch(rom)
        raw = buf[1] << 8 | buf[0]
        if raw & 0x8000:
            raw -= 0x10000
        if rom[0] != DS18S20:
            return raw / 16
        if not buf[7]:
            return None
        # Whole degrees, and how far the count went on to the next one.
        return (raw >> 1) - 0.25 + (buf[7] - buf[6]) / buf[7]
