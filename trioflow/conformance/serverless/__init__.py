"""The conformance kit of Serverless Workflow 1.0: its features are read, run here, and judged as it says.

`gherkin.py` reads features, `kit.py` runs scenarios, `stubs.py` serves the two hosts that they call, on loopback.
"""
