"""A request with everything that decides its answer, and the identities that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sparkcore.config import RunConfig
from sparkcore.engine.listing import Listing
from sparkcore.models.resolve import ResolvedModel
from sparkcore.models.runtimes.choice import Computation
from sparkcore.origins import without_password
from sparkcore.runs import identity


@dataclass(frozen=True, slots=True)
class Request:
    """Hold settings, model, files and what computes; a `retry` above 0 recomputes the images that failed.

    `request_id` identifies what is asked for, `recipe_id` what is done to one image. Both are derived here once: the
    digest of a long listing takes seconds.
    """

    config: RunConfig
    model: ResolvedModel
    listing: Listing
    computation: Computation
    request_id: str
    recipe_id: str
    retry: int = 0

    @classmethod
    def of(cls, config: RunConfig, model: ResolvedModel, listing: Listing, computation: Computation) -> Request:
        """Identify a request."""
        config = replace(config, images=without_password(config.images))  # it goes into files of the store
        runtime, precision = computation.runtime, computation.precision
        request_id = identity.request_id(config, listing.digest, model.digest, model.fit, runtime)
        recipe_id = identity.recipe_id(config, model.digest, model.fit, (runtime, precision))
        return cls(config, model, listing, computation, request_id, recipe_id)

    @property
    def run_id(self) -> str:
        """Return the id of the run that answers this retry."""
        return identity.run_id(self.request_id, self.computation.precision, self.retry)

    def next_retry(self) -> Request:
        """Return the request that retries the failed images of this one."""
        return replace(self, retry=self.retry + 1)
