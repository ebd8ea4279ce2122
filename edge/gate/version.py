"""The version of the kit that this gate came with; the same as in edge/VERSION."""

VERSION = "1.1.0"
