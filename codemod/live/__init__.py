"""The live check: one payload to a real endpoint, and a look at what comes back in S3.

The only part of the program that talks to AWS. It runs when it is asked to, and boto3 is loaded
only then.
"""
