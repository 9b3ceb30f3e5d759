"""The classes that can be rendered: their ImageNet ids, their names and who draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sparkcore.errors import ConfigError
from sparkcore.samples.camera import Frame, choose_frame, develop
from sparkcore.samples.noise import Floats
from sparkcore.samples.subjects import (
    abaci,
    balls,
    bananas,
    buses,
    butterflies,
    candles,
    citrus,
    dials,
    fences,
    keyboards,
    ladybugs,
    landscapes,
    lighthouses,
    monuments,
    mushrooms,
    pizzas,
    sea_life,
    tea,
    umbrellas,
    webs,
    woodwork,
)

Draw = Callable[[np.random.Generator, Frame], Floats]


@dataclass(frozen=True)
class SampleClass:
    """A class of samples."""

    class_id: str
    name: str
    draw: Draw

    @property
    def folder_name(self) -> str:
        """Name the folder that says what is in it: class id and name."""
        return f"{self.class_id}_{self.name}"

    def picture(self, rng: np.random.Generator) -> Image.Image:
        """Render one picture."""
        frame = choose_frame(rng)
        return develop(self.draw(rng, frame), frame, rng)


CLASSES = (
    SampleClass("n07747607", "orange", citrus.orange),
    SampleClass("n07749582", "lemon", citrus.lemon),
    SampleClass("n07753592", "banana", bananas.banana),
    SampleClass("n02802426", "basketball", balls.basketball),
    SampleClass("n04540053", "volleyball", balls.volleyball),
    SampleClass("n09193705", "alp", landscapes.alp),
    SampleClass("n09332890", "lakeside", landscapes.lakeside),
    SampleClass("n09428293", "seashore", landscapes.seashore),
    SampleClass("n04275548", "spider_web", webs.spider_web),
    SampleClass("n03930313", "picket_fence", fences.picket_fence),
    SampleClass("n02999410", "chain", fences.chain),
    SampleClass("n02666196", "abacus", abaci.abacus),
    SampleClass("n03085013", "computer_keyboard", keyboards.computer_keyboard),
    SampleClass("n02948072", "candle", candles.candle),
    SampleClass("n01910747", "jellyfish", sea_life.jellyfish),
    SampleClass("n01917289", "brain_coral", sea_life.brain_coral),
    SampleClass("n07873807", "pizza", pizzas.pizza),
    SampleClass("n02165456", "ladybug", ladybugs.ladybug),
    SampleClass("n04398044", "teapot", tea.teapot),
    SampleClass("n07920052", "espresso", tea.espresso),
    SampleClass("n02795169", "barrel", woodwork.barrel),
    SampleClass("n03544143", "hourglass", woodwork.hourglass),
    SampleClass("n07734744", "mushroom", mushrooms.mushroom),
    SampleClass("n02814860", "beacon", lighthouses.beacon),
    SampleClass("n03837869", "obelisk", monuments.obelisk),
    SampleClass("n04532670", "viaduct", monuments.viaduct),
    SampleClass("n02279972", "monarch", butterflies.monarch),
    SampleClass("n04146614", "school_bus", buses.school_bus),
    SampleClass("n04507155", "umbrella", umbrellas.umbrella),
    SampleClass("n04328186", "stopwatch", dials.stopwatch),
    SampleClass("n03706229", "magnetic_compass", dials.magnetic_compass),
)


def find_class(name: str) -> SampleClass:
    """Find a class by its name. Raises ConfigError for a name that cannot be rendered."""
    for chosen in CLASSES:
        if chosen.name == name:
            return chosen
    names = ", ".join(known.name for known in CLASSES)
    raise ConfigError.unexpected("class_name", f"one of {names}", name)
