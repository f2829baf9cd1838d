"""Every nat counts the same.

Also known as: none, uniform, unweighted, simple, constant, ones, 1, 1.0
"""
