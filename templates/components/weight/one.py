"""Every nat counts the same.

Also known as: none, uniform, unweighted, simple
"""
