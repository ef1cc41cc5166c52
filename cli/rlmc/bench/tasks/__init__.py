"""rlmc's own tasks, written for it. Their ids are stable; what a task asks never changes under the same id."""

from __future__ import annotations

from rlmc.bench.task import Task
from rlmc.bench.tasks import code, instruct, maths, tools

OWN: tuple[Task, ...] = (*maths.TASKS, *instruct.TASKS, *code.TASKS, *tools.TASKS)
