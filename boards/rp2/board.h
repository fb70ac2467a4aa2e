// The flash of Arenite's rp2 boards: firmware, then the ROMFS that holds the models, then the filesystem up to the end.
// The port counts from the end; board.json says where the ROMFS is, for the host tools too.

#define MICROPY_HW_ROMFS_BYTES          (ARENITE_ROMFS_SIZE)
#define MICROPY_HW_FLASH_STORAGE_BYTES \
    (XIP_BASE + PICO_FLASH_SIZE_BYTES - ARENITE_ROMFS_BASE - ARENITE_ROMFS_SIZE)
