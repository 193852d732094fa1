"""Checkpoints: what is saved comes back bit for bit, and nothing else is taken for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from gramarye import checkpoint
from gramarye.errors import OptimizationError

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool)
IDENTITY = {"settings": {"size": 48, "style": {"weight": 1.0}}, "content": {"sha256": "ab"}}


@st.composite
def tensors(draw: Any) -> torch.Tensor:
    """Tensors of any bits, some of them views of a larger one."""
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    dtype = draw(st.sampled_from(DTYPES))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    values = torch.randint(-(2**31), 2**31, (*shape, 4), generator=generator, dtype=torch.int64)
    made = values.view(torch.float64).to(dtype) if dtype.is_floating_point else values.to(dtype)
    return draw(st.sampled_from([made, made[..., ::2], made[..., 1], made.transpose(0, -1)]))


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
keys = st.text() | st.integers()
states = st.dictionaries(
    st.text(),
    st.recursive(
        plain | tensors(),
        lambda inner: (
            st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner)
        ),
        max_leaves=12,
    ),
    max_size=5,
)


def same(one: Any, other: Any) -> bool:
    """Equal, with types and, for numbers, bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        raw = [each.contiguous().reshape(-1).view(torch.uint8) for each in (one, other)]
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(*raw)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


@given(states)
def test_what_is_saved_comes_back(tmp_path_factory: pytest.TempPathFactory, state: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "out.png.checkpoint"
    checkpoint.save(path, state, IDENTITY)
    assert same(checkpoint.load(path, IDENTITY), state)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_tensors_that_share_their_memory(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    checkpoint.save(tmp_path / "c", {"a": whole, "b": whole, "c": whole[1:3], "d": whole.view(2, 3).T}, {})
    back = checkpoint.load(tmp_path / "c", {})
    assert back["c"].tolist() == [1, 2]
    assert back["d"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert torch.equal(back["a"], back["b"])


def test_what_comes_back_is_aligned(tmp_path: Path) -> None:
    """The last bits of a dot product depend on it: a painting would go on to slightly other pixels."""
    state = {str(size): torch.ones(size) for size in range(1, 40)}
    checkpoint.save(tmp_path / "c", state, {})
    assert all(tensor.data_ptr() % 64 == 0 for tensor in checkpoint.load(tmp_path / "c", {}).values())


def test_an_optimizer_goes_on_where_it_was(tmp_path: Path) -> None:
    """torch's own state, with its whole numbers as keys."""
    leaf = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.Adam([leaf])
    leaf.square().sum().backward()
    optimizer.step()
    checkpoint.save(tmp_path / "c", optimizer.state_dict(), {})
    again = torch.optim.Adam([leaf])
    again.load_state_dict(checkpoint.load(tmp_path / "c", {}))
    assert torch.equal(again.state[leaf]["exp_avg"], optimizer.state[leaf]["exp_avg"])


def test_the_identity_leaves_out_places_and_remarks() -> None:
    recipe = {
        "gramarye": "1",
        "preset": "default",
        "settings": {"size": 48, "network": {"name": "auto"}},
        "content": {"name": "a.png", "path": "x/a.png", "sha256": "1"},
        "styles": [{"name": "b.png", "path": None, "sha256": "2"}],
        "content_mask": {"regions": {"sky": {"name": "m.png", "path": "m.png", "sha256": "3"}, "sea": None}},
        "start": None,
        "style_masks": [],
        "network": {"name": "vgg19", "file": "f", "source": "s", "sha256": "4"},
        "evaluations": 7,
        "total": 1.5,
    }
    assert checkpoint.identity(recipe) == {
        "settings": {"size": 48, "network": {"name": "auto"}},
        "content": {"sha256": "1"},
        "styles": [{"sha256": "2"}],
        "content_mask": {"regions": {"sky": {"sha256": "3"}, "sea": None}},
        "network": {"sha256": "4"},
    }


def test_a_checkpoint_of_another_painting_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c", {}, IDENTITY)
    other = json.loads(json.dumps(IDENTITY))
    other["settings"]["style"]["weight"] = 2.0
    with pytest.raises(OptimizationError, match=r"other style\.weight, .*--restart"):
        checkpoint.load(tmp_path / "c", other)
    with pytest.raises(OptimizationError, match="other content"):
        checkpoint.load(tmp_path / "c", {**IDENTITY, "content": "x"})


def _no_checkpoint(path: Path) -> None:
    save_file({"a": torch.ones(2)}, path)


def _no_state(path: Path) -> None:
    save_file({}, path, metadata={"format": checkpoint.FORMAT, "identity": "{}"})


def _no_tensor(path: Path) -> None:
    state = '{"dict": [["a", {"tensor": "7"}]]}'
    save_file({}, path, metadata={"format": checkpoint.FORMAT, "identity": "{}", "state": state})


def _cut(path: Path) -> None:
    checkpoint.save(path, {"a": torch.ones(99)}, {})
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no such thing" * 9),
        lambda path: path.mkdir(),
        _no_checkpoint,
        _no_state,
        _no_tensor,
        _cut,
    ],
)
def test_a_damaged_file_is_refused(damage: Any, tmp_path: Path) -> None:
    damage(tmp_path / "c")
    with pytest.raises(OptimizationError, match="its own checkpoint; got") as raised:
        checkpoint.load(tmp_path / "c", {})
    assert "\n" not in str(raised.value)


def test_one_that_cannot_be_written_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path / "c", {"n": 1}, {})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OptimizationError, match="No space left"):
        checkpoint.save(tmp_path / "c", {"n": 2}, {})
    assert checkpoint.load(tmp_path / "c", {}) == {"n": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_removing_takes_what_a_crash_left(tmp_path: Path) -> None:
    path = checkpoint.path_for(tmp_path / "out.png")
    checkpoint.save(path, {}, {})
    (tmp_path / ".out.png.checkpoint.part").write_bytes(b"half")
    checkpoint.remove(path)
    checkpoint.remove(path)
    assert list(tmp_path.iterdir()) == []
