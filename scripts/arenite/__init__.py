"""Host tools of Arenite: build firmware, boot emulated boards, run, measure and verify models on them."""

__version__ = "0.1.0"
