"""A page on this machine that shows what models say of a text.

answers: a model, or an export, as plain values.
page_server: serves the page and answers it.
page/: the page itself, which loads nothing from elsewhere.
"""
