# What a Pico's firmware has frozen in it, without micropython-lib: the port's own modules, asyncio, and drivers.
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
freeze("modules")
