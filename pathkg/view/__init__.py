"""Look at trajectories and at the graph: one self-contained HTML page, and a small explorer on loopback.

Third-party content: ``assets/cytoscape.min.js`` is Cytoscape.js (MIT, licence beside it). Nothing here asks the
network for anything.
"""

from __future__ import annotations

from pathkg.view.cases import ViewCase, read_view_cases
from pathkg.view.page import render_page, write_page

__all__ = ["ViewCase", "read_view_cases", "render_page", "write_page"]
