"""Every writing operator under every fault, judged by what the service did (see ``playing.py``)."""
