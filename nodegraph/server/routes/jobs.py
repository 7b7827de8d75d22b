"""Jobs: sending, listing, looking, and what may be asked of them."""

from __future__ import annotations

from ...jobs.model import Job, JobId, JobPage, JobRequest, Placement
from ..http import Reply, Route
from ..schemas import EventQuery, Events, JobQuery, ResultFile, Results
from ..services import Services


def submit(services: Services, body: JobRequest) -> Reply[Job]:
    """Accept a job: 201 when it is new, 200 when its client key names it already."""
    workflow = services.definitions.check(body.workflow, body.inputs, body.targets)
    submitted = services.table.submit(body, title=workflow.title)
    return Reply(201 if submitted.is_new else 200, services.veil.job(submitted.job))


def list_jobs(services: Services, query: JobQuery) -> JobPage:
    """Jobs, the newest first."""
    page = services.table.page(query.filter, before=query.before, limit=query.limit)
    return page.model_copy(update={"jobs": [services.veil.job(each) for each in page.jobs]})


def get_job(services: Services, id: JobId) -> Job:
    """One job."""
    return services.veil.job(services.table.job(id))


def get_request(services: Services, id: JobId) -> JobRequest:
    """What was asked for, the workflow included."""
    return services.table.request(id)


def get_results(services: Services, id: JobId) -> Results:
    """What a job gave: outputs, and the files that it wrote."""
    job = services.veil.job(services.table.job(id))
    files = [
        ResultFile(name=each.path, bytes=each.bytes, sha256=each.sha256, url=f"/api/v1/jobs/{id}/files/{number}")
        for number, each in enumerate(job.files)
    ]
    return Results(id=id, state=job.state, outputs=job.outputs, files=files)


def get_events(services: Services, id: JobId, query: EventQuery) -> Events:
    """What happened to a job after a sequence number."""
    services.table.job(id)
    found = services.table.events(after=query.after, job=id, limit=query.limit)
    events = [services.veil.event(each) for each in found]
    return Events(events=events, last=events[-1].sequence if events else query.after)


def cancel(services: Services, id: JobId) -> Job:
    """Stop a job for good."""
    return services.veil.job(services.table.cancel(id))


def pause(services: Services, id: JobId) -> Job:
    """Stop a job for a while."""
    return services.veil.job(services.table.pause(id))


def resume(services: Services, id: JobId) -> Job:
    """Let a paused job go on."""
    return services.veil.job(services.table.resume(id))


def retry(services: Services, id: JobId) -> Job:
    """Run a finished job again."""
    return services.veil.job(services.table.retry(id))


def move(services: Services, id: JobId, body: Placement) -> Job:
    """Put a waiting job elsewhere in the queue."""
    return services.veil.job(services.table.move(id, body))


def delete(services: Services, id: JobId) -> Job:
    """Forget a job that does not run; the files that it wrote stay."""
    return services.veil.job(services.table.delete(id))


ROUTES = (
    Route("POST", "/jobs", submit),
    Route("GET", "/jobs", list_jobs),
    Route("GET", "/jobs/{id}", get_job),
    Route("DELETE", "/jobs/{id}", delete),
    Route("GET", "/jobs/{id}/request", get_request),
    Route("GET", "/jobs/{id}/results", get_results),
    Route("GET", "/jobs/{id}/events", get_events),
    Route("POST", "/jobs/{id}/cancel", cancel),
    Route("POST", "/jobs/{id}/pause", pause),
    Route("POST", "/jobs/{id}/resume", resume),
    Route("POST", "/jobs/{id}/retry", retry),
    Route("POST", "/jobs/{id}/move", move),
)
