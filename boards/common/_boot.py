# Mount a small filesystem in the emulator's RAM at /: it lasts over a soft reset, until the emulator ends.
import ramdisk
import vfs


class RamDisk:
    BLOCK = 4096

    def __init__(self, memory):
        self.memory = memory

    def readblocks(self, n, buf, offset=0):
        start = n * self.BLOCK + offset
        buf[:] = self.memory[start : start + len(buf)]

    def writeblocks(self, n, buf, offset=0):
        start = n * self.BLOCK + offset
        self.memory[start : start + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.memory) // self.BLOCK
        if op == 5:
            return self.BLOCK
        if op == 6:
            return 0
        return None


def mount():
    disk = RamDisk(ramdisk.memory())
    try:
        fs = vfs.VfsLfs2(disk)
    except OSError:
        vfs.VfsLfs2.mkfs(disk)
        fs = vfs.VfsLfs2(disk)
    vfs.mount(fs, "/")


mount()
