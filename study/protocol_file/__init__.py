"""A protocol file becomes a `StudyProtocol`, or the list of everything wrong with it."""

from study.protocol_file.reader import load_protocol, parse_protocol

__all__ = ["load_protocol", "parse_protocol"]
