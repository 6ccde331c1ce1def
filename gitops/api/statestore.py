"""State stores: the branch or bucket that holds the documents of Destinations, as Kratix has them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gitops.api.meta import Branch, Definition, Model, Name, Namespace


class SecretRef(Model):
    """Where the credentials stand; never in the repository itself."""

    name: Name
    namespace: Namespace = "default"


class GitAuthor(Model):
    """Author and committer of the commits in this store."""

    name: str = "kratix"
    email: str = ""


class GitStateStoreSpec(Model):
    """Without `url` the store is another branch (or path) of this repository."""

    url: str = ""
    branch: Branch = "main"
    path: str = ""
    auth_method: Literal["basicAuth", "ssh", "githubApp"] = "basicAuth"
    secret_ref: SecretRef | None = None
    git_author: GitAuthor | None = None


class GitStateStore(Definition):
    """A Git branch that holds documents."""

    kind: Literal["GitStateStore"]
    spec: GitStateStoreSpec = Field(default_factory=GitStateStoreSpec)


class BucketStateStoreSpec(Model):
    """An S3 bucket."""

    bucket_name: str
    endpoint: str
    path: str = ""
    auth_method: Literal["accessKey", "IAM"] = "accessKey"
    secret_ref: SecretRef | None = None
    insecure: bool = False
    use_dual_stack: bool = False


class BucketStateStore(Definition):
    """An S3 bucket that holds documents."""

    kind: Literal["BucketStateStore"]
    spec: BucketStateStoreSpec
