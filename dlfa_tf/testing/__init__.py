"""Helpers for the tests of layers; nothing else imports them.

layer_checks: what every layer has to do, in one call.
layer_case: the layer under test and its inputs.
"""
