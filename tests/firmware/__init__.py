"""Tests that run on firmware, in the emulator, through mpremote's transport."""
