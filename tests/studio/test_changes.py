"""Wishes: said on one thread, taken on another."""

from __future__ import annotations

import threading

from gramarye.studio.changes import Wishes


def test_pause_step_resume_stop() -> None:
    wishes = Wishes()
    assert not wishes.resting
    wishes.pause()
    assert wishes.resting
    wishes.step()
    wishes.step()
    assert not wishes.resting
    wishes.take_step()
    assert not wishes.resting
    wishes.take_step()
    assert wishes.resting, "two steps, and it rests again"
    wishes.resume()
    assert not wishes.resting
    wishes.take_step()
    assert not wishes.resting
    wishes.pause()
    wishes.stop()
    assert wishes.stopped
    assert not wishes.resting, "there is an end to be made"


def test_a_step_of_one_that_runs_pauses_it_after_one() -> None:
    wishes = Wishes()
    wishes.step()
    assert not wishes.resting
    wishes.take_step()
    assert wishes.resting


def test_changes_are_merged_and_taken_once() -> None:
    wishes = Wishes({"strength": 0.5})
    wishes.change({"style.weight": 3})
    wishes.change({"style.weight": 4})
    assert wishes.pending == {"strength": 0.5, "style.weight": 4}
    assert wishes.take_changes() == {"strength": 0.5, "style.weight": 4}
    assert wishes.take_changes() == wishes.pending == {}


def test_no_change_is_lost_between_threads() -> None:
    wishes, taken = Wishes(), []
    done = threading.Event()

    def take() -> None:
        while not done.is_set():
            taken.extend(wishes.take_changes())

    thread = threading.Thread(target=take)
    thread.start()
    for number in range(2000):
        wishes.change({str(number): number})
    done.set()
    thread.join()
    taken.extend(wishes.take_changes())
    assert sorted(map(int, taken)) == list(range(2000))
