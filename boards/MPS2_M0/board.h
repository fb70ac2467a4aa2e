// PSRAM, 16 MB: ROMFS, and a filesystem of 1 MB at its end.
#define BOARD_ROMFS_BASE (0x21000000)
#define BOARD_ROMFS_SIZE (0x800000)
#define BOARD_RAMDISK_BASE (0x21000000 + 0xf00000)
#define BOARD_RAMDISK_SIZE (0x100000)

#define BOARD_UART0 (0x40004000)
#define BOARD_UART0_RX_IRQ (0)
#define BOARD_COUNTER (0x40028018)
#define BOARD_COUNTER_HZ (25000000)

// Armv6-M faults on unaligned words; this Armv7-M machine does so only if asked.
#define BOARD_TRAP_UNALIGNED
