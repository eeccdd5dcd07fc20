"""Where audit trail and traces go, as the settings say. Each sink has its own queue and thread."""

from opentelemetry.sdk.resources import Resource

from service import __version__
from service.settings import Settings
from service.telemetry.audit import configure_audit
from service.telemetry.audit_file import AuditFile
from service.telemetry.outlet import Outlet
from service.telemetry.stdout import STDOUT
from service.telemetry.syslog import Syslog
from service.telemetry.traces import configure_tracing


def resource_of(settings: Settings) -> Resource:
    """Return who speaks, in the words of OpenTelemetry's semantic conventions.

    Args:
        settings: the settings.
    """
    return Resource(
        {
            "service.name": "secure-mcp",
            "service.version": __version__,
            "deployment.environment.name": settings.environment,
        }
    )


def configure_sinks(settings: Settings) -> None:
    """Let audit trail and traces of this process go where the settings say."""
    configure_audit(build_sinks(settings))
    configure_tracing(settings.otlp_endpoint, settings.trace_ratio, resource_of(settings))


def build_sinks(settings: Settings) -> list[Outlet[str]]:
    """Return an outlet for each sink of the audit trail.

    Args:
        settings: the settings.
    """
    sinks: list[Outlet[str]] = []
    for name in settings.audit_sinks:
        if name == "stdout":
            sinks.append(STDOUT)
        elif name == "file" and settings.audit_file:
            sinks.append(Outlet("audit_file", AuditFile(settings.audit_file, settings.audit_file_bytes)))
        elif name == "syslog":
            sinks.append(Outlet("audit_syslog", Syslog(settings.audit_syslog)))
        elif name == "otlp" and settings.otlp_endpoint:
            from service.telemetry.otlp_logs import OtlpLogs  # only here: it takes long to load

            sinks.append(Outlet("audit_otlp", OtlpLogs(settings.otlp_endpoint, resource_of(settings))))
    return sinks
