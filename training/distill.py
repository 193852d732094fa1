"""Distil VGG-19 into the embedded quarter-width network, vgg19-lite.

    python training/distill.py TEACHER.safetensors PHOTOGRAPHS [FOLDER…] --out RUN --minutes 90

Every step shows the same batch of random crops to the teacher (VGG-19, frozen) and to the student and
minimises, over the thirteen ReLU layers,

    features    Σ(A·s − t)² / Σt²                  s, t: student's and teacher's activations, A: a 1×1 matrix
    gram        Σ(A·Gs·Aᵀ − Gt)² / ΣGt²            their Gram matrices, picture by picture
    distance    (ln ‖A(Gs−Gs′)Aᵀ‖ − ln ‖Gt−Gt′‖)²    Gram distances between every two pictures of the batch

with max or average pooling drawn for each batch, so that either may be used afterwards. Muon for the convolutions,
Adam for the matrices and offsets; the learning rate falls linearly to zero over the time given. RUN keeps the
checkpoint (state of optimisers and random numbers included; run the same command again to go on), `log.csv` and
`log.png`; the held-out photographs and paintings are never shown. `--first conv3_1` trains only the layers from there
on, which takes a fifth of the time for a step: the layers before are frozen, and what they make of a crop is kept with
it. `calibrate.py` turns the run into the file that is shipped.
Prior art: Wang et al. 2020, "Collaborative Distillation for Ultra-Resolution Universal Style Transfer".
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from calibrate import least_squares
from gramarye import layers, machine
from gramarye.fast.muon import Muon
from gramarye.vgg import convolve, fold_input_convention, pool
from gramarye.weights import LITE, Weights, read
from recolouring import recoloured

NETWORK = "vgg19-lite"
TAPS = tuple(name for name in layers.table(NETWORK) if name.startswith("relu"))
LAYERS = [*layers.table(NETWORK)][1:-1]  # conv1_1 … relu5_1
START = "conv1_1"
MAIN_TAPS = frozenset((*layers.STYLE_LAYERS, *layers.CONTENT_LAYERS))
STYLE, DISTANCE = 0.3, 1.0  # weights of the losses beside the features'
POSITIONS = 16  # along a side, at most, at which activations are compared
LONGEST_STEP = 20.0  # seconds; a longer one was paused, which does not use up the time given
PICTURES = {".jpg", ".jpeg", ".png"}


class Crops:
    """Random crops of the pictures of some folders, kept in memory at a short side of 320 px at most.

    Each folder is drawn with its weight. Crops are taken at a random scale, flipped, and (the share `recolor` of them)
    recoloured, because paintings have colours that photographs do not.
    """

    def __init__(
        self,
        folders: dict[Path, float],
        exclude: frozenset[str],
        generator: np.random.Generator,
        recolor: float = 0.3,
    ):
        self.generator, self.recolor = generator, recolor
        self.groups = [self._read(folder, exclude) for folder in folders]
        weights = np.array(list(folders.values()))
        self.probabilities = weights / weights.sum()

    @staticmethod
    def _read(folder: Path, exclude: frozenset[str]) -> list[np.ndarray]:
        pictures = []
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in PICTURES and path.stem not in exclude:
                picture = Image.open(path).convert("RGB")
                shrink = 320 / min(picture.size)
                if shrink < 1:
                    size = (round(picture.width * shrink), round(picture.height * shrink))
                    picture = picture.resize(size, Image.Resampling.LANCZOS)
                pictures.append(np.asarray(picture))
        if not pictures:
            raise SystemExit(f"no pictures in {folder}")
        return pictures

    def batch(self, count: int, side: int) -> Tensor:
        """`count` crops, count 3 side side, sRGB in [0, 1]."""
        return torch.cat([self._crop(side) for _ in range(count)])

    def _crop(self, side: int) -> Tensor:
        draw = self.generator
        group = self.groups[draw.choice(len(self.groups), p=self.probabilities)]
        picture = group[draw.integers(len(group))]
        height, width = picture.shape[:2]
        extent = int(min(height, width, side * draw.uniform(1.0, 2.6)))
        top, left = draw.integers(height - extent + 1), draw.integers(width - extent + 1)
        crop = torch.from_numpy(picture[top : top + extent, left : left + extent].copy())
        crop = crop.permute(2, 0, 1)[None].float() / 255
        crop = F.interpolate(crop, (side, side), mode="bilinear", antialias=True, align_corners=False)
        if draw.random() < 0.5:
            crop = crop.flip(3)
        return recoloured(crop, draw) if draw.random() < self.recolor else crop


def activations(
    tensors: dict[str, Tensor], activation: Tensor, pooling: str, first: str = START, until: str | None = None
) -> tuple[dict[str, Tensor], Tensor]:
    """The activations of the ReLU layers from layer `first` to before layer `until`, and the last activation.

    `activation` is what enters `first`. Differentiable in `tensors` too.
    """
    found = {}
    for name in LAYERS[LAYERS.index(first) : LAYERS.index(until) if until else None]:
        if name.startswith("conv"):
            activation = convolve(activation, tensors[f"{name}.weight"], tensors[f"{name}.bias"], "zeros")
        elif name.startswith("relu"):
            activation = found[name] = F.relu(activation)
        else:
            activation = pool(activation, pooling)
    return found, activation


def prepare(weights: Weights, dtype: torch.dtype, device: torch.device) -> tuple[dict[str, Tensor], Tensor]:
    """The teacher's tensors in `dtype`, and the mean to subtract from sRGB in [0, 1]."""
    tensors = dict(weights.tensors)
    tensors["conv1_1.weight"], mean = fold_input_convention(tensors["conv1_1.weight"], weights.convention)
    ready = {}
    for name, tensor in tensors.items():
        layout = torch.channels_last if tensor.dim() == 4 else torch.contiguous_format
        ready[name] = tensor.to(device, dtype).contiguous(memory_format=layout)
    return ready, mean.to(device)


def thinned(activation: Tensor) -> Tensor:
    """At most POSITIONS along a side: of larger maps every second or fourth is enough, and faster."""
    every = -(-activation.shape[3] // POSITIONS)
    return activation[:, :, ::every, ::every]


def tap_losses(student: Tensor, teacher: Tensor, matrix: Tensor, unit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The feature, Gram and distance losses of one layer, each relative and dimensionless.

    `student` and `teacher` are batch channels rows columns, `matrix` (A) teacher's channels by student's;
    `unit` is the size of the teacher's activations that A leaves out.
    """
    s, t = thinned(student).float().flatten(2), teacher.float().flatten(2) / unit
    positions = s.shape[2]
    feature = (matrix @ s - t).square().sum() / t.square().sum().clamp_min(1e-9)
    # ‖A·Gs·Aᵀ‖² = tr(M·Gs·M·Gs) and ⟨A·Gs·Aᵀ, Gt⟩ = ⟨Gs, (Aᵀt)(Aᵀt)ᵀ⟩.
    gram_s, seen = s @ s.transpose(1, 2) / positions, matrix.T @ t
    product = (matrix.T @ matrix) @ gram_s
    ours = product.flatten(1) @ product.transpose(1, 2).flatten(1).T  # ⟨A·Gs·Aᵀ, A·Gs′·Aᵀ⟩ = tr(M·Gs·M·Gs′)
    gram_t = (t @ t.transpose(1, 2) / positions).flatten(1)
    theirs = gram_t @ gram_t.T
    both = (gram_s * (seen @ seen.transpose(1, 2))).sum((1, 2)) / positions
    sizes = theirs.diagonal()
    style = ((ours.diagonal() - 2 * both + sizes) / sizes.clamp_min(1e-12)).mean()
    return feature, style, (0.5 * (log_apart(ours) - log_apart(theirs))).square().mean()


def log_apart(products: Tensor) -> Tensor:
    """ln ‖G − G′‖² of every two pictures of a batch, from their products ⟨G, G′⟩."""
    first, second = torch.triu_indices(len(products), len(products), 1, device=products.device)
    sizes = products.diagonal()
    apart: Tensor = sizes[first] + sizes[second] - 2 * products[first, second]
    return apart.clamp_min(1e-12).log()


class Distillation:
    """The student, its matrices, its optimiser and its place in the time given."""

    def __init__(self, options: argparse.Namespace, teacher: Weights, sources: list[Tensor]) -> None:
        self.options = options
        self.device = torch.device(options.device)
        self.dtype = machine.fastest_dtype(self.device)
        self.teacher, self.teacher_mean = prepare(teacher, self.dtype, self.device)
        self.unit = {name: torch.ones((), device=self.device) for name in TAPS}
        self.student, self.matrices = self._adopt(teacher, sources) if options.init else self._begin()
        self.trained = LAYERS[LAYERS.index(options.first) :]
        self.taps = [name for name in TAPS if name in self.trained]
        parameters = [tensor for name, tensor in self.student.items() if name.partition(".")[0] in self.trained]
        parameters += [self.matrices[name] for name in self.taps]
        for tensor in parameters:
            tensor.requires_grad_()
        kernels = [tensor for tensor in parameters if tensor.dim() == 4]
        others = [tensor for tensor in parameters if tensor.dim() != 4]
        self.optimizers = (Muon(kernels, lr=options.rate), torch.optim.Adam(others, lr=options.rate, betas=(0.9, 0.99)))
        self.step, self.seconds = 0, 0.0
        self.mean = torch.tensor(LITE.mean, device=self.device).view(1, 3, 1, 1) / LITE.scale

    def _begin(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """A student and its matrices at random (He)."""
        table = layers.table(NETWORK)
        student, matrices, before = {}, {}, 3
        for name in layers.convolutions(NETWORK):
            width, channels = table[name].width, table[name].channels
            kernel = torch.empty(width, before, 3, 3, device=self.device)
            student[f"{name}.weight"] = torch.nn.init.kaiming_normal_(kernel, nonlinearity="relu")
            student[f"{name}.bias"] = torch.zeros(width, device=self.device)
            matrix = torch.empty(channels, width, device=self.device)
            matrices[name.replace("conv", "relu")] = torch.nn.init.kaiming_normal_(matrix)
            before = width
        return student, matrices

    def _adopt(self, teacher: Weights, sources: list[Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The student of an earlier file (`--init`), and its matrices by least squares over some pictures."""
        earlier = replace(read(self.options.init, network=NETWORK), calibration={})
        matrices = {name: each.to(self.device) for name, each in least_squares(earlier, teacher, sources, TAPS).items()}
        for name, matrix in matrices.items():
            self.unit[name] = (matrix.square().mean() * matrix.shape[1] / 2).sqrt()  # entries as He would have them
            matrices[name] = matrix / self.unit[name]
        return {name: tensor.clone().to(self.device) for name, tensor in earlier.tensors.items()}, matrices

    def targets(self, image: Tensor, pooling: str) -> dict[str, Tensor]:
        """The teacher's activations of all taps, thinned, for a batch of images, sRGB in [0, 1]."""
        with torch.no_grad():
            centred = (image.to(self.device) - self.teacher_mean).to(self.dtype, memory_format=torch.channels_last)
            found, _ = activations(self.teacher, centred, pooling)
            return {name: thinned(found[name]).clone() for name in self.taps}

    def frozen(self, image: Tensor, pooling: str) -> Tensor:
        """What the layers that are not trained make of a batch of images, sRGB in [0, 1]."""
        centred = ((image.to(self.device) - self.mean) * (LITE.scale / LITE.std[0])).contiguous(
            memory_format=torch.channels_last
        )
        with torch.no_grad(), torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return activations(self.student, centred, pooling, until=self.options.first)[1]

    def losses(
        self, entering: Tensor, pooling: str, taps: frozenset[str], targets: dict[str, Tensor]
    ) -> dict[str, tuple[Tensor, ...]]:
        """The three losses at each of `taps` for a batch of what `frozen` gives."""
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            found, _ = activations(self.student, entering, pooling, self.options.first)
        return {
            name: tap_losses(found[name], targets[name], self.matrices[name], self.unit[name])
            for name in self.taps
            if name in taps
        }

    def train_step(self, entering: Tensor, pooling: str, taps: frozenset[str], targets: dict[str, Tensor]) -> float:
        """One step; the learning rate falls linearly with the time that is used up."""
        left = max(0.0, 1 - self.seconds / (60 * self.options.minutes))
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = self.options.rate * left * min(1.0, (self.step + 1) / 100)
        losses = self.losses(entering, pooling, taps, targets)
        weights = {name: 2.0 if name in MAIN_TAPS else 1.0 for name in losses}
        total = torch.zeros((), device=self.device)
        for name, (feature, style, distance) in losses.items():
            total = total + weights[name] * (feature + STYLE * style + DISTANCE * distance)
        total = total / sum(weights.values())
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        total.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        return float(total.detach())

    def save(self, path: Path, crops: Crops) -> None:
        """Write everything that is needed to go on, beside the old checkpoint, then replace it."""
        state = {
            "student": self.student,
            "matrices": self.matrices,
            "unit": self.unit,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
            "crops": crops.generator.bit_generator.state,
        }
        beside = path.with_suffix(".tmp")
        torch.save(state, beside)
        beside.replace(path)

    def restore(self, path: Path, crops: Crops) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True, map_location=self.device)
        with torch.no_grad():
            for part, saved in ((self.student, state["student"]), (self.matrices, state["matrices"])):
                for name, tensor in part.items():
                    tensor.copy_(saved[name])
        self.unit = state["unit"]
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["random"].cpu())
        crops.generator.bit_generator.state = state["crops"]


class Pool:
    """Crops with the teacher's targets, so that each is used several times; one pool for each pooling."""

    def __init__(self, run: Distillation, crops: Crops, pooling: str) -> None:
        self.run, self.crops, self.pooling = run, crops, pooling
        self.entries: list[tuple[Tensor, dict[str, Tensor]]] = []

    def _refresh(self) -> None:
        """Put a few fresh crops in; the oldest leave once the pool is full."""
        options = self.run.options
        fresh = self.crops.batch(options.fresh, options.side)
        targets, entering = self.run.targets(fresh, self.pooling), self.run.frozen(fresh, self.pooling)
        for index in range(options.fresh):
            one = {name: tensor[index : index + 1] for name, tensor in targets.items()}
            self.entries.append((entering[index : index + 1], one))
        del self.entries[: -options.pool]

    def batch(self, taps: frozenset[str]) -> tuple[Tensor, dict[str, Tensor]]:
        """A batch of what enters the trained layers, with the targets at `taps`."""
        options = self.run.options
        while True:
            self._refresh()
            if len(self.entries) >= min(options.pool, 4 * options.batch):
                break
        chosen = [self.entries[i] for i in self.crops.generator.choice(len(self.entries), options.batch, replace=False)]
        targets = {name: torch.cat([targets[name] for _, targets in chosen]) for name in taps}
        return torch.cat([entering for entering, _ in chosen]), targets


def held_out_error(run: Distillation, batches: list[Tensor]) -> dict[str, float]:
    """Mean relative squared feature error at every tap, over held-out crops and both poolings."""
    sums = dict.fromkeys(run.taps, 0.0)
    with torch.no_grad():
        for batch in batches:
            for pooling in ("max", "avg"):
                targets = run.targets(batch, pooling)
                entering = run.frozen(batch, pooling)
                for name, (feature, _, _) in run.losses(entering, pooling, frozenset(TAPS), targets).items():
                    sums[name] += float(feature) / (2 * len(batches))
    return sums


def write_log(folder: Path, row: dict[str, float]) -> None:
    """Append one row to log.csv and draw log.png again."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    path = folder / "log.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
    with path.open() as file:
        rows = [{key: float(value) for key, value in line.items()} for line in csv.DictReader(file)]
    figure, axes = plt.subplots(figsize=(8, 5))
    for name in sorted(MAIN_TAPS & set(rows[0])):
        axes.plot([r["minutes"] for r in rows], [r[name] for r in rows], label=name)
    axes.set(xlabel="minutes of training", ylabel="held-out relative squared error", yscale="log")
    axes.legend()
    figure.savefig(folder / "log.png", dpi=110)
    plt.close(figure)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path, help="VGG-19's weights, any file that gramarye imports")
    parser.add_argument("folders", type=Path, nargs="+", help="folders of pictures: FOLDER or FOLDER=WEIGHT")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--init", type=Path, help="an earlier student's file to begin from")
    parser.add_argument("--first", default=START, choices=layers.convolutions(NETWORK), help="first layer to train")
    parser.add_argument("--exclude", default="", help="names (without suffix) to hold out, by comma")
    parser.add_argument("--hold-out", type=int, default=74, help="last pictures of the first folder to hold out")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--fresh", type=int, default=2, help="crops a step that the teacher sees anew")
    parser.add_argument("--pool", type=int, default=400, help="crops kept with their targets, for each pooling")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--recolor", type=float, default=0.3, help="share of the crops in other colours")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def read_folders(options: argparse.Namespace) -> dict[Path, float]:
    """The folders with the weight each is drawn with (1 unless told)."""
    pairs = [str(folder).partition("=") for folder in options.folders]
    return {Path(folder): float(weight or 1) for folder, _, weight in pairs}


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    machine.keep_memory()
    torch.manual_seed(0)
    folders = read_folders(options)
    first = next(iter(folders))
    held_out = sorted(path.stem for path in first.iterdir())[-options.hold_out :]
    exclude = frozenset(filter(None, (*options.exclude.split(","), *held_out)))
    crops = Crops(folders, exclude, np.random.default_rng(0), options.recolor)
    others = frozenset(path.stem for path in first.iterdir()) - frozenset(held_out)
    unseen = Crops({first: 1.0}, others, np.random.default_rng(1))
    batches = [unseen.batch(options.batch, options.side) for _ in range(6)]
    run = Distillation(options, read(options.teacher, network="vgg19"), list(crops.batch(120, 192).split(1)))
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        run.restore(checkpoint, crops)
        print(f"going on from step {run.step}, {run.seconds / 60:.1f} min")
    train(run, crops, batches, checkpoint)


def train(run: Distillation, crops: Crops, batches: list[Tensor], checkpoint: Path) -> None:
    """Train until the time is used up; Ctrl-C saves and stops."""
    last_report, running = run.seconds, 0.0
    rest = [name for name in run.taps if name not in MAIN_TAPS]
    pools = [Pool(run, crops, pooling) for pooling in ("max", "avg")]
    try:
        while run.seconds < 60 * run.options.minutes:
            began = time.perf_counter()
            pool = pools[int(crops.generator.integers(2))]
            taps = MAIN_TAPS | set(crops.generator.choice(rest, 2, replace=False).tolist())
            entering, targets = pool.batch(taps & set(run.taps))
            loss = run.train_step(entering, pool.pooling, taps, targets)
            running = 0.98 * running + 0.02 * loss if running else loss
            run.seconds += min(time.perf_counter() - began, LONGEST_STEP)
            if run.seconds - last_report > 240:
                last_report = run.seconds
                error = held_out_error(run, batches)
                write_log(
                    checkpoint.parent,
                    {"step": run.step, "minutes": run.seconds / 60, "loss": running, **error},
                )
                shown = " ".join(f"{name[4:]} {error[name]:.3f}" for name in error)
                print(f"step {run.step} · {run.seconds / 60:.1f} min · loss {running:.4f} · {shown}", flush=True)
                run.save(checkpoint, crops)
    except KeyboardInterrupt:
        print("stopped")
    run.save(checkpoint, crops)
    print(f"step {run.step}: saved {checkpoint}", flush=True)


if __name__ == "__main__":
    main()
