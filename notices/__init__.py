"""Notices leave the house: what the recorder wrote down for a unit or a role goes out through channels.

Reads and marks the tables; knows nothing of Temporal. No case ever waits for anything here.
"""
