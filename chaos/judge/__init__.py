"""Says whether the promises were kept. Knows the API and the documents, and nothing of the code under test.

`tests/chaos/test_independence.py` holds it to that.
"""
