"""Workers that run cases beside each other, each a process with a world of its own."""

import contextlib
import multiprocessing
import multiprocessing.connection
import random
import signal
import sys
import time
import traceback
from typing import NamedTuple

from rig.expectation import PATIENCE, Failure, Skipped
from rig.races import ROUNDS

# Seconds after which a case is taken to wait for something that never comes.
LIMIT = int(900 * PATIENCE * max(1, ROUNDS / 1000))


class Job(NamedTuple):
    """A case, and the client it is run with if it needs one."""

    function: object
    program: object = None

    @property
    def name(self):
        return self.function.sentence + (f" ({self.program.name})" if self.program else "")


class Outcome(NamedTuple):
    """What became of a job; one without a problem passed, unless it was skipped for a reason."""

    job: Job
    problem: str | None
    skip: str | None
    seconds: float


class End(NamedTuple):
    """What a worker leaves: what went wrong when its nodes were stopped, and what is left, with the last words of who left it."""

    problems: list
    leaks: list


class Crew:
    """The workers, from their start to the end of the last: a context, which ends them whatever happens."""

    def __init__(self, count, make_world):
        """`make_world` is called in each worker, with its index."""
        context = multiprocessing.get_context("fork")
        self.workers = []
        for index in range(count):
            ours, theirs = context.Pipe()
            # A worker that kept these would keep others from noticing that nobody is left to order anything.
            foreign = [ours, *(worker.connection for worker in self.workers)]
            process = context.Process(target=work, args=(theirs, foreign, lambda index=index: make_world(index)))
            process.start()
            theirs.close()
            self.workers.append(Worker(ours, process))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            worker.connection.close()
        for worker in self.workers:
            worker.process.join()

    @staticmethod
    def run(jobs, workers, order="run"):
        """Has the jobs run by whoever is free, and yields the outcomes as they come.

        A case with a second half has none before `finish`, unless the order is "whole".
        """
        waiting, free, busy = list(reversed(jobs)), list(workers), {}
        while waiting or busy:
            while waiting and free:
                worker = free.pop()
                worker.begin(order, waiting.pop())
                busy[worker.connection] = worker
            for connection in multiprocessing.connection.wait(list(busy)):
                worker = busy.pop(connection)
                outcome = worker.receive()
                free.append(worker)
                if outcome is not None:
                    yield outcome

    def finish(self):
        """Has the second halves run: by now most of the wait is over."""
        busy = {worker.connection: worker for worker in self.workers}
        for worker in self.workers:
            worker.begin("finish")
        while busy:
            for connection in multiprocessing.connection.wait(list(busy)):
                outcome = busy[connection].receive()
                if outcome is None:
                    del busy[connection]
                else:
                    yield outcome

    @staticmethod
    def end(workers):
        """Has the workers stop their nodes, and yields what each leaves."""
        for worker in workers:
            worker.begin("end")
        for worker in workers:
            yield worker.receive()


class Worker:
    """One worker, as the run sees it."""

    def __init__(self, connection, process):
        self.connection = connection
        self.process = process

    def begin(self, order, job=None):
        self.connection.send((order, job))

    def receive(self):
        """What it says next. Its death ends the run: its nodes are still there, and a person has to see why."""
        try:
            return self.connection.recv()
        except EOFError:
            sys.exit("conformance: a worker died")


def work(connection, foreign, make_world):
    """A worker's life: does what it is told until it is told to end, or nobody is left to tell it anything."""
    for other in foreign:
        other.close()
    world, is_told = make_world(), False
    # (job, second half, space) of cases that wait for something slow.
    later = []
    try:
        while not is_told:
            order, job = connection.recv()
            if order == "end":
                is_told = True
            elif order == "finish":
                for waiting in later:
                    connection.send(run_second_half(*waiting))
                later.clear()
                connection.send(None)
            else:
                connection.send(run(world, job, later if order == "run" else None))
    except (EOFError, ConnectionError):
        # The run was told to end.
        pass
    finally:
        problems, leaks = world.stop(), world.leaks()
        end = End(problems, leaks + world.last_words(world.concerned(leaks)) if leaks else [])
        world.remove()
        if is_told:
            connection.send(end)


def run(world, job, later):
    """Runs a case: its outcome, or None when it has a second half, which is put to those that are run later, if there are any."""
    # The same choices in whichever worker, and after whatever other cases.
    world.random = random.Random(f"{world.seed} {job.name}")
    started, before = time.monotonic(), len(world.nodes)
    problem, skip, space, end = attempt(world, job)
    nodes = world.nodes[before:] or ([space.node] if space else [])
    if end is not None and later is not None:
        later.append((world, job, end, space, nodes))
        return None
    if end is not None:
        problem = finished(end)
    return Outcome(job, explained(world, nodes, cleared(space, problem)), skip, time.monotonic() - started)


def run_second_half(world, job, end, space, nodes):
    started = time.monotonic()
    return Outcome(job, explained(world, nodes, cleared(space, finished(end))), None, time.monotonic() - started)


def explained(world, nodes, problem):
    """A problem with what the case's nodes said last."""
    return problem and "\n".join([problem, *world.last_words(nodes)])


@contextlib.contextmanager
def limited():
    """A case that never ends is one failed case, not the end of the run."""
    def over(*_):
        raise Failure(f"not over within {LIMIT} s")

    signal.signal(signal.SIGALRM, over)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)


def attempt(world, job):
    """Runs a case: what went wrong, why it was skipped, its space, and its second half if it has one."""
    space = None
    try:
        given = {}
        for need in job.function.needs:
            if need in ("space", "kubectl") and space is None:
                space = world.space()
            given[need] = {
                "world": lambda: world,
                "node": lambda: world.node,
                "space": lambda: space,
                "kubectl": lambda: world.kubectl(space, job.program),
            }[need]()
        with limited():
            return None, None, space, job.function(**given)
    except Skipped as reason:
        return None, str(reason), space, None
    except Exception as error:  # pylint: disable=broad-except  # a broken case is one failed case, not the end of the run
        return told(error), None, space, None


def finished(end):
    """Runs the second half of a case: what went wrong."""
    try:
        with limited():
            end()
    except Exception as error:  # pylint: disable=broad-except
        return told(error)
    return None


def cleared(space, problem):
    """Clears the space, and returns the problem with what went wrong at that."""
    if space is not None:
        try:
            space.clear()
        except Exception as error:  # pylint: disable=broad-except
            problem = (problem + "\n" if problem else "") + f"its namespace cannot be cleared: {error}"
    return problem


def told(error):
    """What a case says is wrong, or where it broke."""
    return str(error) if isinstance(error, Failure) else "".join(traceback.format_exception(error))
