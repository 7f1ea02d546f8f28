"""Migrate SageMaker asynchronous inference from upload-then-invoke to inline payloads."""

__version__ = "0.1.0"
