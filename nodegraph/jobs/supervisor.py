"""The supervisor: takes jobs from the table, gives them to workers, and replaces workers that are lost.

It never runs node code. Each worker is a process that works on one job at a time; what happens to it costs that one
attempt. Whether a job is begun again is decided by the table alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..settings import Settings
from .attempt import Attempt, Limits
from .claiming import Claimed
from .errors import ClaimLost, JobTableUnusable
from .lifelines import machine_memory
from .looks import Looks, WorkerLost
from .messages import Ended, Look, Looked, Ready, Shown, Watch
from .model import JobError, JobId, Outcome, Wish, WorkerInfo, WorkerState
from .places import environments
from .process import WorkerProcess
from .table import JobTable

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at the table when nobody wakes the supervisor: other processes write there, too."""
TROUBLE_SECONDS = 1.0
"""Between two attempts to write to a table that cannot be written."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts to start a worker that cannot be started; the first ones come sooner."""
RECYCLE_SHARE = 0.8
"""Of its memory limit: a worker that keeps more after a job is replaced."""


OnPreview: TypeAlias = Callable[[JobId, Shown], None]
"""Is given what a node shows and which job it belongs to."""


class Supervisor:
    """Runs the jobs of a table as long as `run` runs.

    on_change: called whenever it wrote to the table, from its own thread.
    """

    def __init__(self, settings: Settings, table: JobTable, *, on_change: Callable[[], None] = lambda: None) -> None:
        self._settings, self._table, self._on_change = settings, table, on_change
        self._limits = worker_limits(settings)
        self._posts = [Post(place, self, each) for place, each in enumerate(environments(settings))]
        self._awake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_preview: OnPreview | None = None
        self._looks = Looks(self._posts)

    @property
    def settings(self) -> Settings:
        """With which workers work."""
        return self._settings

    @property
    def table(self) -> JobTable:
        """Where the jobs are."""
        return self._table

    @property
    def limits(self) -> Limits:
        """What workers may use."""
        return self._limits

    def workers(self) -> list[WorkerInfo]:
        """The workers as they stand."""
        return [post.info() for post in self._posts]

    def wake(self) -> None:
        """Tell that the table has changed; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._awake.set)

    @property
    def on_preview(self) -> OnPreview | None:
        """Who looks at what nodes show while they run."""
        return self._on_preview

    async def watch(self, on_preview: OnPreview | None) -> None:
        """Tell what nodes show while they run, from now on; None: to nobody. From the thread of `run`."""
        self._on_preview = on_preview
        for post in self._posts:
            await post.watch()

    @property
    def looks(self) -> Looks:
        """What looks into stored results; from the thread of `run`."""
        return self._looks

    async def run(self) -> None:
        """Work until cancelled. Then running jobs are stopped within a step and go back into the queue."""
        self._loop = asyncio.get_running_loop()
        with self._table.owner() as owner:
            try:
                await self._try(self._table.recover)
                while True:
                    self._awake.clear()
                    await self._look(owner.id)
                    try:
                        async with asyncio.timeout(LOOK_SECONDS):  # `wait_for` may swallow a cancel
                            await self._awake.wait()
                    except TimeoutError:
                        await self._try(self._table.recover)
            finally:
                await asyncio.gather(*(post.close() for post in self._posts))

    async def _look(self, owner: str) -> None:
        """Pass on wishes, and give work to whoever waits for it."""
        if any(post.busy for post in self._posts):
            wishes: Mapping[JobId, Wish] = await self._try(self._table.wishes, owner) or {}
            for post in self._posts:
                if (job := post.job) is not None and job in wishes:
                    await post.stop(wishes[job])
        for post in self._posts:
            if not post.busy:
                claimed: Claimed | None = await self._try(self._table.claim, owner)
                if claimed is None:
                    return
                self._on_change()
                post.begin(claimed)

    async def persist(self, write: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Write to the table, again and again until it can be written: what a worker did must not be lost."""
        told = False
        while True:
            try:
                result = await asyncio.to_thread(write, *given, **named)
            except ClaimLost:
                raise
            except JobTableUnusable as error:
                if not told:
                    log.warning("what a job did cannot be written down yet: %s; it is tried again", error)
                told = True
                await asyncio.sleep(TROUBLE_SECONDS)
            else:
                self._on_change()
                return result

    async def _try(self, call: Callable[..., Any], *given: Any) -> Any:
        """Ask the table; None where it cannot be used just now."""
        try:
            return await asyncio.to_thread(call, *given)
        except JobTableUnusable as error:
            log.warning("the jobs cannot be read: %s; it is tried again", error)
            return None


class Post:
    """A place for one worker. It is started when there is work and stays for the next job.

    environment: variables of its process, such as the accelerator that it may see.
    """

    def __init__(self, place: int, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        self._place, self._supervisor, self._environment = place, supervisor, environment
        self._worker: WorkerProcess | None = None
        self._attempt: Attempt | None = None
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        self._ready = False
        self._failures = 0

    @property
    def busy(self) -> bool:
        """Whether it has a job."""
        return self._task is not None

    @property
    def job(self) -> JobId | None:
        """The job it works on."""
        return self._attempt.job.id if self._attempt is not None else None

    def info(self) -> WorkerInfo:
        """The worker as it stands."""
        worker = self._worker
        state: WorkerState = "idle"
        if worker is None:
            state = "none"
        elif self.busy:
            state = "working" if self._ready else "starting"
        return WorkerInfo(
            place=self._place,
            process=worker.id if worker is not None else None,
            state=state,
            job=self.job,
            memory=worker.memory() if worker is not None else None,
        )

    def begin(self, claimed: Claimed) -> None:
        """Take a job."""
        supervisor = self._supervisor
        self._attempt = Attempt(claimed, supervisor.table, supervisor.persist, supervisor.limits)
        self._task = asyncio.create_task(self._do(self._attempt))
        self._task.add_done_callback(self._free)

    async def stop(self, wish: Wish) -> None:
        """Stop the job."""
        if self._attempt is not None:
            await self._attempt.stop(wish)

    async def close(self) -> None:
        """Stop the job, which goes back into the queue, and end the worker."""
        self._closed = True
        if self._task is not None and self._attempt is not None:
            await self._attempt.stop("shutdown")
            await asyncio.gather(self._task, return_exceptions=True)
        async with self._starting:
            if self._worker is not None:
                await self._worker.leave(self._supervisor.limits.grace)

    @property
    def awake(self) -> bool:
        """Whether there is a worker that can be asked to look into results."""
        return self._worker is not None and self._ready and not self._worker.gone

    async def look(self, wanted: Look) -> Looked:
        """Let the worker look into a result; it is started where there is none. Raises WorkerLost."""
        if self._closed:
            raise WorkerLost("the server ends")
        starting = asyncio.create_task(self._woken())
        starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            worker = await asyncio.shield(starting)  # whoever looks may lose patience, the worker is wanted still
            return await self._look(worker, wanted)
        except (EOFError, OSError) as error:
            raise WorkerLost(f"the worker that looked was lost: {error}; look again") from error

    async def _woken(self) -> WorkerProcess:
        """The worker, for one who looks."""
        async with self._starting:
            try:
                return await self._started_worker()
            except (EOFError, OSError) as error:
                await self._bury(error)
                raise

    async def _look(self, worker: WorkerProcess, wanted: Look) -> Looked:
        try:
            return await worker.look(wanted)
        except asyncio.CancelledError:
            if not self.busy:  # it hangs in code that shows a value; a job would be told of, and costs more
                worker.kill()
            raise

    async def watch(self) -> None:
        """Let the worker know whether somebody looks."""
        if self._worker is not None:
            with contextlib.suppress(EOFError):
                await self._worker.send(Watch(watched=self._supervisor.on_preview is not None))

    def _show(self, shown: Shown) -> None:
        attempt, on_preview = self._attempt, self._supervisor.on_preview
        if attempt is not None and on_preview is not None and shown.claim == attempt.job.claim:
            on_preview(attempt.job.id, shown)

    def _free(self, task: asyncio.Task[None]) -> None:
        self._task = self._attempt = None
        self._supervisor.wake()
        if not task.cancelled():
            task.result()

    async def _do(self, attempt: Attempt) -> None:
        try:
            await self._attempt_it(attempt)
        except Exception as error:
            log.exception("job %s: this program went wrong", attempt.job.id)
            await self._bury(error)
            fault = JobError(kind="worker", message=f"the supervisor went wrong: {type(error).__name__}: {error}")
            await self._after_loss(attempt, fault)

    async def _attempt_it(self, attempt: Attempt) -> None:
        """Do a job once; afterwards the table knows how it ended."""
        job, table, persist = attempt.job, self._supervisor.table, self._supervisor.persist
        try:
            try:
                worker = await self._ready_worker()
                ended = await attempt.work(worker)
            except (EOFError, OSError) as trouble:
                error = attempt.loss(*await self._bury(trouble))
                await self._after_loss(attempt, error)
                return
            outcome = judged(ended.outcome, attempt)
            if outcome is None:
                await persist(table.give_back, job.id, job.claim, _SHUTDOWN, counts=False)
            else:
                await persist(table.finish, job.id, job.claim, outcome)
            await self._recycle(ended)
        except ClaimLost:
            log.warning("job %s is in other hands; what its worker does is dropped", job.id)
            await self._bury(None)

    async def _after_loss(self, attempt: Attempt, error: JobError) -> None:
        """The worker was lost: by its own fault, or because it did not stop in time."""
        job, table, persist = attempt.job, self._supervisor.table, self._supervisor.persist
        log.warning("job %s lost its worker: %s", job.id, error.message)
        if error.kind == "time":
            await persist(
                table.finish, job.id, job.claim, Outcome(state="failed", seconds=attempt.seconds, error=error)
            )
        else:
            await persist(table.give_back, job.id, job.claim, error, counts=attempt.reason is None)

    async def _ready_worker(self) -> WorkerProcess:
        """The worker, started where there is none. Raises EOFError or OSError when it cannot be started."""
        async with self._starting:
            return await self._started_worker()

    async def _started_worker(self) -> WorkerProcess:
        if self._worker is not None and self._worker.gone:
            await self._bury(None)
        if self._worker is not None:
            return self._worker
        supervisor = self._supervisor
        self._ready = False
        if self._failures:
            await asyncio.sleep(min(0.1 * 2**self._failures, LONGEST_PAUSE))
        self._failures += 1
        log_file = supervisor.settings.state / "workers" / f"{self._place}.log"
        self._worker = await WorkerProcess.start(
            supervisor.settings, log=log_file, environment=self._environment, beat=supervisor.limits.beat
        )
        async with asyncio.timeout(supervisor.limits.silence):
            while not isinstance(await self._worker.receive(), Ready):
                pass
        self._worker.on_shown = self._show
        await self.watch()
        self._ready, self._failures = True, 0
        return self._worker

    async def _bury(self, trouble: Exception | None) -> tuple[str, str]:
        """End the worker; how it died, and what it printed last."""
        worker, self._worker = self._worker, None
        if worker is None:
            return f"could not be started: {trouble}", ""
        return await worker.bury()

    async def _recycle(self, ended: Ended) -> None:
        """Replace a worker that is not fit for the next job."""
        worker, limits = self._worker, self._supervisor.limits
        if worker is None:
            return
        memory = worker.memory()
        sick = ended.sick
        if not sick and limits.memory is not None and memory is not None and memory > RECYCLE_SHARE * limits.memory:
            sick = f"it keeps {memory / 1e6:,.0f} MB, of at most {limits.memory / 1e6:,.0f} MB"
        if sick:
            log.warning("worker %d is replaced: %s", self._place, sick)
            self._worker = None
            await worker.leave(limits.grace)


_SHUTDOWN = JobError(kind="interrupted", message="the server was stopped")


def judged(outcome: Outcome, attempt: Attempt) -> Outcome | None:
    """How an attempt ended, seen with why it was stopped; None where it is to be gone on with."""
    if outcome.state != "cancelled":
        return outcome
    match attempt.reason:
        case "time":
            return outcome.model_copy(update={"state": "failed", "error": attempt.verdict})
        case "pause":
            return outcome.model_copy(update={"state": "paused"})
        case "shutdown":
            return None
    return outcome


def worker_limits(settings: Settings) -> Limits:
    """What workers may use, by the settings. All workers share the machine's memory."""
    memory = settings.worker_memory_bytes
    if memory is None:
        machine = machine_memory()
        memory = int(0.9 * machine) // len(environments(settings)) if machine is not None else None
    return Limits(memory=memory or None, silence=settings.worker_silence_seconds, grace=settings.worker_grace_seconds)
