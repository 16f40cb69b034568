"""Where a server's log goes: structlog to standard error, so that standard output has the ready line alone."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

LOG_LEVELS: Final = ("debug", "info", "warning", "error")


def configure_logs(level: str) -> None:
    """Send the log of this process to standard error, from `level` (a name of LOG_LEVELS) on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def server_log_configuration(level: str) -> dict[str, object]:
    """Return the logging configuration of granian itself; its default writes to standard output."""
    handler = {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}
    logger = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "talentverse: %(levelname)s %(message)s"}},
        "handlers": {"stderr": handler},
        "loggers": {"_granian": dict(logger), "granian.access": dict(logger)},
    }
