"""An S3 for the tests: moto's server, spoken to over real HTTP."""

import boto3
from moto.server import ThreadedMotoServer

BUCKET, REGION, KEY, SECRET = "files", "us-east-1", "test-key", "test-secret"


class S3Server:
    """One server with one bucket."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.client.create_bucket(Bucket=BUCKET)

    @property
    def client(self) -> object:
        """Somebody else's client, to look into the bucket with."""
        keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
        return boto3.client("s3", endpoint_url=self.url, region_name=REGION, **keys)

    @property
    def settings(self) -> dict[str, str]:
        """What the application needs to use it."""
        place = {"S3_BUCKET": BUCKET, "S3_REGION": REGION, "S3_ENDPOINT_URL": self.url}
        return {**place, "S3_ACCESS_KEY": KEY, "S3_SECRET_KEY": SECRET}

    def stop(self) -> None:
        """End it."""
        self._server.stop()
