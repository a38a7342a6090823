"""A class: who is in it, what it was asked to do, how it is doing, and what its trainers say about its talks."""

from bot.classroom.figures import Agreement, agreement, weighted_kappa
from bot.classroom.opinion import Review, appeal, review
from bot.classroom.room import Classroom, Standing
from bot.classroom.tasks import Task, begin, tasks
from bot.classroom.watch import Watched, watch

__all__ = [
    "Agreement",
    "Classroom",
    "Review",
    "Standing",
    "Task",
    "Watched",
    "agreement",
    "appeal",
    "begin",
    "review",
    "tasks",
    "watch",
    "weighted_kappa",
]
