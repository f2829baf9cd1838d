"""All terms have the same weight.

Also known as: none, uniform, unweighted, simple, constant, ones
"""
