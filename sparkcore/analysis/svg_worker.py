"""Draw Vega-Lite charts in a process of its own: the drawing engine is large, and a fault in it ends its process.

A script: a JSON list of specifications on standard input, a JSON list of SVG texts on standard output.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Draw what standard input asks for; nothing is loaded from the network."""
    import vl_convert

    specs = json.load(sys.stdin)
    pictures = [vl_convert.vegalite_to_svg(spec, vl_version="6.4", allowed_base_urls=[]) for spec in specs]
    json.dump(pictures, sys.stdout)


if __name__ == "__main__":
    main()
