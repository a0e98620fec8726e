from tests.support.stack import lonely_stack, postgresql_stack, stack

__all__ = ["lonely_stack", "postgresql_stack", "stack"]
