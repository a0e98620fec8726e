from tests.encryption.desks import desk, ring, watchful

__all__ = ["desk", "ring", "watchful"]
