"""``make ui``: Airflow's web UI with the example DAGs and the emulator behind a connection, until Ctrl-C."""

from __future__ import annotations

import shutil
import sys
import threading

from demo.package import ROOT
from demo.processes import Unwell, leave_on_sigterm
from demo.stage import USERS, Voice, scene

FOLDER = ROOT / "build" / "ui"
SPEED = 60.0


def main() -> int:
    """Start everything, say where to look, and wait to be stopped."""
    leave_on_sigterm()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        with scene(FOLDER, Voice(), speed=SPEED, visible=True) as (stack, emulator):
            print(f"\n  Airflow      {stack.address}  (everybody is admin)")
            print(f"  the service  {emulator.endpoint}  (tokens {', '.join(USERS.values())})")
            print(f"  connections  {', '.join(USERS)}")
            print(f"  logs         {FOLDER}\n\nCtrl-C stops all of it.")
            threading.Event().wait()
    except KeyboardInterrupt:
        print("\nstopped")
    except Unwell as error:
        print(f"\ncould not start: {error}\nlogs: {FOLDER}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
