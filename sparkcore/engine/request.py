"""A request with everything that decides its answer, and the identities that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sparkcore.config import RunConfig
from sparkcore.engine.listing import Listing
from sparkcore.models.resolve import ResolvedModel
from sparkcore.models.runtimes.choice import Computation, processor
from sparkcore.origins import absolute_path, is_local, without_password
from sparkcore.runs import identity
from sparkcore.runs.calibrations import Calibration


@dataclass(frozen=True, slots=True)
class Request:
    """Hold settings, model, files and what computes; a `retry` above 0 recomputes the images that failed.

    `request_id` identifies what is asked for, `recipe_id` what is done to one image. A run in int8 has no id before
    its `calibration` is known.
    """

    config: RunConfig
    model: ResolvedModel
    listing: Listing
    computation: Computation
    request_id: str
    recipe_id: str
    retry: int = 0
    calibration: Calibration | None = None

    @classmethod
    def of(cls, config: RunConfig, model: ResolvedModel, listing: Listing, computation: Computation) -> Request:
        """Identify a request."""
        config = replace(config, images=without_password(config.images))  # it goes into files of the store
        runtime, precision = computation.runtime, computation.precision
        request_id = identity.request_id(config, listing.digest, model.digest, model.fit, runtime)
        recipe_id = identity.recipe_id(config, model.digest, model.fit, (runtime, precision))
        return cls(config, model, listing, computation, request_id, recipe_id)

    @property
    def calibration_key(self) -> str | None:
        """Return what the calibration of the computed precision belongs to, None in float32."""
        precision, digest = self.computation.precision, self.model.digest
        if precision == "float32":
            return None
        if precision != "int8":
            return identity.comparison_key(precision, digest, processor())
        images = self.config.images
        images = str(absolute_path(images)) if is_local(images) else images
        return identity.calibration_key(self.config, images, digest, self.model.fit)

    @property
    def lacks_calibration(self) -> bool:
        """Tell whether the precision is below float32, and nobody knows yet what that changes."""
        return self.computation.precision != "float32" and self.calibration is None

    @property
    def has_identity(self) -> bool:
        """Tell whether the id of the run is known."""
        return self.calibration is not None or self.computation.precision != "int8"

    def calibrated(self, calibration: Calibration | None) -> Request:
        """Return the request with its calibration; in float32 where int8 changes more labels than may be."""
        if calibration is None:
            return self
        if calibration.precision != "int8":
            return replace(self, calibration=calibration)
        is_kept = calibration.agreement.high >= self.config.min_agreement
        computation = self.computation if is_kept else replace(self.computation, precision="float32")
        quantized = replace(self.model, digest=f"{self.model.digest} {calibration.quantized}")
        asked = Request.of(self.config, quantized, self.listing, computation)
        done = asked if is_kept else Request.of(self.config, self.model, self.listing, computation)
        identified = replace(self, request_id=asked.request_id, recipe_id=done.recipe_id)
        return replace(identified, computation=computation, calibration=calibration)

    @property
    def run_id(self) -> str:
        """Return the id of the run that answers this retry."""
        return identity.run_id(self.request_id, self.computation.precision, self.retry)

    def next_retry(self) -> Request:
        """Return the request that retries the failed images of this one."""
        return replace(self, retry=self.retry + 1)
