"""Programs that the host tools send to a board. They run on MicroPython; nothing on the host imports them."""
