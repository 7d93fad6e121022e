"""How much one client, and all of them together, may ask for. Every limit is said in words when it is met."""

from pydantic import Field

from rnnlab.config import Config


class Limits(Config):
    """The limits of a service.

    Example:
        >>> Limits(inputs=10).inputs
        10
    """

    body: int = Field(2**20, ge=1024, description="Bytes of a request.")
    upload: int = Field(64 * 2**20, ge=1024, description="Bytes of a file that is uploaded.")
    inputs: int = Field(1000, ge=1, description="Inputs of a request.")
    length: int = Field(10_000, ge=1, description="Steps of an input: characters, or values.")
    steps: int = Field(100_000, ge=1, description="Steps of a request's inputs together.")
    waiting: int = Field(400_000, ge=1, description="Steps of all requests that wait; beyond it the answer is 429.")
    connections: int = Field(1000, ge=8, description="Open connections; silent ones make room for new ones.")
    silence: float = Field(10.0, gt=0, description="Seconds in which a request's head, and each part of it, must come.")
