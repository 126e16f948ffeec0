"""``python -m restora.cli``."""

import sys

from restora.cli.entry import main

sys.exit(main())
