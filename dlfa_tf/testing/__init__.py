"""Helpers for the tests of the package; nothing else imports them."""
