"""A simulated Mango Office PBX for the demo and the tests.

Written from the protocol's description alone; it shares no code with the addon.
"""
