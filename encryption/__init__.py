"""What lies in Temporal is encrypted here, and read again: key ring, codec, and who still needs a key.

Knows nothing of cases: to it a payload is bytes that belong to a workflow.
"""
