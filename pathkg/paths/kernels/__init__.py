"""The compiled kernels (numba): labelling from both ends, and the compact graph of one path length.

Importing this package imports numba and loads, or on the very first time makes, machine code; the code is cached on
disk. Nothing else of pathkg needs numba: :mod:`pathkg.paths.engine` does the same with NumPy. All kernels release
the interpreter lock.

Arguments shared by the kernels: the adjacency (``indptr, neighbor, edge, flow``); ``ahead`` and ``astern``, the flow bits
for steps seen from the start's and the target's side; ``check`` tells whether ``class_ok[edge_class[e]]`` and ``avoid``
(sorted edge ids) need a look; ``no_direct`` forbids the step from start straight to target.

=============  ===========================================================================
module         holds
=============  ===========================================================================
``steps``      what every kernel does at one edge, and the CSR of a compact graph
``shortest``   all shortest paths of a pair
``longer``     all simple paths of one length above the shortest
``batch``      many pairs in one call
=============  ===========================================================================

The cached code of a kernel does not notice an edit in another module that it calls: after editing ``steps``
or :mod:`pathkg.paths.walk`, delete the ``*.nbi`` files of this folder's ``__pycache__``.
"""

from pathkg.paths.kernels.batch import solve
from pathkg.paths.kernels.longer import within
from pathkg.paths.kernels.shortest import shortest
from pathkg.paths.kernels.steps import FORBIDDEN, count_shortest, fill_best, walk_all, walk_best

__all__ = ["FORBIDDEN", "count_shortest", "fill_best", "shortest", "solve", "walk_all", "walk_best", "within"]
