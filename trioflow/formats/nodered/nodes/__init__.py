"""The nodes of flows, as the palette of the editor groups them."""
