"""A Mango Office PBX to play with: the other side of the protocol, without a contract.

Written from the protocol's description alone; it shares no code with the addon.
"""
