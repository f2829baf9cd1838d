"""The law of `random`: all orders are equally likely."""

ANY_ORDER = True
