"""A recording stand-in for AWS in which user programs run, before and after their rewrite.

``world``          what the programs can change and the journal of what they did
``s3``             the client and the resource of S3, as boto3 shapes them
``runtime``        InvokeEndpointAsync with the service's own rules
``sagemaker_sdk``  the uploads of the SageMaker SDK
``modules``        the module trees a program imports: boto3, sagemaker, aioboto3, aiobotocore
``clock``          time, uuid, random and friends that give the same answers in every run
``handles``        files and streams that know how much the program read from them
``payloads``       payloads of any size, in the types that programs are given them
``programs``       loads a program so that it sees all this

Parameters are checked against the models in the installed botocore, so a call that the real SDK
would refuse fails here as well.
"""
