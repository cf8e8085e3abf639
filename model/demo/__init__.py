"""A generated world in which the slide matters: cases, bags, trajectories, and a run over all of them."""
