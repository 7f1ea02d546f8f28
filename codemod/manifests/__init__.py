"""The SDK floor: manifests whose requirements let in an SDK without ``Body``, text to text.

One module per format says where its requirements stand; ``specifiers`` raises one, ``review``
makes findings and the raised text of a whole manifest. Nothing here is loaded by a run in which no
code passes ``Body``.
"""
