from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import sparkcore
from sparkcore.classes import imagenet_classes
from sparkcore.groups import LEVELS, imagenet_groups, is_below, parse_path, path_text


def test_every_class_of_imagenet_is_in_one_group():
    lines = Path(sparkcore.__file__).with_name("imagenet_groups.txt").read_text(encoding="utf-8").splitlines()
    ranges = [part.partition("-") for line in lines for part in line.rpartition(": ")[2].split()]
    positions = [place for first, _, last in ranges for place in range(int(first), int(last or first) + 1)]
    assert sorted(positions) == list(range(1000))
    groups = imagenet_groups()
    assert set(groups) == {one.class_id for one in imagenet_classes()}
    assert {len(path) for path in groups.values()} <= set(range(1, LEVELS + 1))
    assert lines == sorted(set(lines), key=lines.index)


def test_groups_are_as_large_as_in_wordnet():
    """Counted with the hypernyms of WordNet 3.0."""
    sizes = Counter(path[:depth] for path in imagenet_groups().values() for depth in range(1, len(path) + 1))
    expected = {
        "Animals": 398,
        "Animals > Fish": 16,
        "Animals > Birds": 59,
        "Animals > Amphibians": 8,
        "Animals > Reptiles": 36,
        "Animals > Reptiles > Snakes": 17,
        "Animals > Insects": 27,
        "Animals > Crustaceans": 9,
        "Animals > Mollusks": 6,
        "Animals > Dogs": 118,
        "Animals > Dogs > Terriers": 26,
        "Animals > Dogs > Retrievers": 5,
        "Animals > Cats": 13,
        "Animals > Hoofed animals": 17,
        "Animals > Primates": 20,
        "Vehicles > Boats and ships": 15,
        "Food and drink > Fruit": 10,
    }
    assert {text: sizes[parse_path(text)] for text in expected} == expected


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("golden_retriever", "Animals > Dogs > Retrievers"),
        ("timber_wolf", "Animals > Wolves and foxes > Wolves"),
        ("hotdog", "Food and drink > Dishes"),
        ("steel_arch_bridge", "Buildings and structures > Bridges, dams and harbors"),
        ("running_shoe", "Clothing > Shoes and socks"),
        ("wine_bottle", "Containers > Bottles and jugs"),
        ("laptop", "Electronics > Computers"),
        ("dining_table", "Household > Furniture > Tables and desks"),
        ("stethoscope", "Medicine and laboratory"),
        ("violin", "Musical instruments > Strings"),
        ("volcano", "Nature > Mountains and valleys"),
        ("scuba_diver", "People"),
        ("daisy", "Plants and fungi > Flowers"),
        ("street_sign", "Signs and print"),
        ("soccer_ball", "Sports and games > Balls"),
        ("hammer", "Tools and machines > Tools"),
        ("sports_car", "Vehicles > Cars"),
        ("rifle", "Weapons"),
    ],
)
def test_a_class_of_each_group(label: str, path: str):
    class_id = next(one.class_id for one in imagenet_classes() if one.label == label)
    assert path_text(imagenet_groups()[class_id]) == path


def test_paths_and_their_texts():
    assert parse_path(" Animals>  Wild   dogs > ") == ("Animals", "Wild dogs")
    assert parse_path(" > ") == ()
    assert is_below(("Animals", "Dogs"), ("Animals",))
    assert not is_below(("Animals", "Dogs"), ("Animals", "Birds"))
