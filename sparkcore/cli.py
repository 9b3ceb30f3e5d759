"""The command line: arguments in, exit code out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sparkcore.commands.parser import command_parser
from sparkcore.errors import RequestError, RunCancelledError, SparkcoreError, shell_text

OK, FAILED, WRONG_REQUEST, CANCELLED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong request, 130 cancelled."""
    options = command_parser().parse_args(arguments)
    try:
        options.command(options)
        sys.stdout.flush()
    except (RunCancelledError, KeyboardInterrupt) as error:
        print(f"Cancelled: {error}" if str(error) else "Cancelled.", file=sys.stderr)
        return CANCELLED
    except RequestError as error:
        print(f"Error: {shell_text(error)}", file=sys.stderr)
        return WRONG_REQUEST
    except SparkcoreError as error:
        print(f"Failed: {shell_text(error)}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader of our output has closed the pipe (`| head`), which is not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK
