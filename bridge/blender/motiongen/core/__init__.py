"""The add-on without Blender: the wire, the clock, the mapping and the retargeting, of the standard library alone."""
