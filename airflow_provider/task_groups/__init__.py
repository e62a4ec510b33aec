"""Floor 7: ordinary operators, put together for one purpose."""
