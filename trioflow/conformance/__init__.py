"""The conformance kit: checks an engine, this one or a port in another language, against the rules.

The contract between kit and port is `spec/INTERPRETING.md`. Needs the extra `testing`.
"""
