"""What a graph is: sockets, node types, graphs, the builder, the registry and the document format. Pure data."""
