from tests.api.signing import bare_house, house, real
from tests.support.stack import lonely_stack, postgresql_stack, stack

__all__ = ["bare_house", "house", "lonely_stack", "postgresql_stack", "real", "stack"]
