"""The documents checked by themselves: links, files, commands and options that they name.

``nox -s docs`` renews the table of options in docs/options.md; ``-- --check`` changes nothing and
says what is wrong, with page and line. Nothing here needs the network or a server.
"""
