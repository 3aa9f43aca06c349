"""Beliefs about very many rows, with the statistics of `label_posterior`, by blocks.

Every pass reads the rows from their file; what is kept in memory grows with the rows only by a few numbers for each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaning.belief.base_learners import LINEAR_GAIN, noise_variances
from cleaning.belief.basis import STACKED_ROWS, surely_worse
from cleaning.belief.blocks.block import Block, block_rows, blocks_of
from cleaning.belief.blocks.contents import Contents
from cleaning.belief.blocks.cost import Cost
from cleaning.belief.blocks.forward import forward_models
from cleaning.belief.blocks.learners import Known, Learners, Ridge, Views, Vote, grams
from cleaning.belief.blocks.predicted import Predicted, looked_through
from cleaning.belief.blocks.recount import Recount
from cleaning.belief.blocks.said import Annotators, judged
from cleaning.belief.blocks.sample import Sample
from cleaning.belief.blocks.scan import scanned, sums_of
from cleaning.belief.blocks.stored import Digests, Single, Stored
from cleaning.belief.blocks.trusted import Noisy, Trusted
from cleaning.belief.blocks.voted import Votes, named_in
from cleaning.belief.blocks.work import Arrays, Total, Work
from cleaning.belief.caveats import Caveat, Unused, caveats_of, of_agreement
from cleaning.belief.count import Count, misjudged
from cleaning.belief.in_sample import refuse_agreeing, refuse_ahead
from cleaning.belief.primal_learners import LANDMARKS, REFERENCE, landmark_penalty
from cleaning.belief.stacking import Stack, common_noise
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.errors import InvalidInput, Place
from cleaning.parallel.engine import SERIAL, Engine, connected
from cleaning.progress import Progress, silent

# Rows are judged by blocks where `label_posterior` would need more bytes than this. It takes about so many bytes for
# each number, and for each row and class.
_MOST_BYTES, _PER_NUMBER, _PER_CLASS = 2_000_000_000, 12, 80
# Trusted rows that are drawn like the others cost up to .013 of the log-likelihood of a noisy label.
_LITTLE = 0.02


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is believed about n rows.

    suspicion (n,): P(the given label is wrong), NaN for a row without a label. suggestion (n,): the most probable
    class. probability (n,): P(the suggestion is right). copy_of (n,): the first row with the same content, or -1.
    digests (n,): of the contents. noise_matrix (K, K), rows sum to 1, for the classes (K,) that labels name. count: of
    wrong labels; recount: what counts them again after decisions; both None where the data cannot tell. deviations:
    those of `misjudged`.
    """

    suspicion: NDArray[np.float32]
    suggestion: IntVector
    probability: NDArray[np.float32]
    copy_of: IntVector
    digests: Digests
    classes: IntVector
    noise_matrix: FloatMatrix
    count: Count | None
    recount: Recount | None
    deviations: tuple[float, float]
    caveats: tuple[Caveat, ...]

    @property
    def annotators(self) -> Annotators | None:
        """What is believed about the annotators, if there are several and the data can tell."""
        return None if self.recount is None else self.recount.annotators


def too_large(n: int, width: int, n_classes: int) -> bool:
    """Whether so many rows are judged by blocks."""
    return bytes_at_once(n, width, n_classes) > _MOST_BYTES and n_classes > 1


def bytes_at_once(n: int, width: int, n_classes: int) -> int:
    """About how much memory `label_posterior` would need."""
    return n * (_PER_NUMBER * width + _PER_CLASS * n_classes)


def judge_stored(
    stored: Stored,
    labels: IntVector,
    trusted: Split | None = None,
    predicted: Predicted | None = None,
    votes: Votes | None = None,
    *,
    seed: int = 0,
    folder: Path | None = None,
    engine: Engine = SERIAL,
    progress: Progress = silent,
) -> Judgement:
    """Judges rows (n, d) in a file by their labels (n,), negative for none.

    trusted: rows in memory whose labels are known to be right. predicted: what the user's own model says of the rows,
    out of sample, with a column for each class number. votes (n, A): what each of A annotators said, negative for
    none, in memory or in a file, if the labels are what most of them said. folder: where finished work is kept, so that
    a run that was killed goes on; only for the same data and seed. Raises InvalidInput for fewer than two classes, for
    numbers that cannot be used, and for probabilities of rows that the model was fitted on.
    """
    named = labels[labels >= 0]
    if not len(named):
        raise InvalidInput(Place(key="labels"), "no row has a label", "give labels of two or more classes")
    others = ([] if trusted is None else [trusted.labels]) + ([] if votes is None else [named_in(votes)])
    classes = np.unique(np.concatenate([named, *others]))
    if len(classes) < 2:
        raise InvalidInput(Place(key="labels"), "there are fewer than two classes", "give labels of two or more")
    codes = np.where(labels < 0, -1, np.searchsorted(classes, labels))
    clean, voice = trusted is not None and len(trusted) > 0, None if predicted is None else predicted.of(classes)
    cost = Cost.of(len(stored), stored.shape[1], len(classes), clean=clean, predicted=voice is not None)
    work = Work(folder, engine, progress, cost.planned)
    rows = block_rows(len(stored))
    spans = [(at, min(at + rows, len(stored))) for at in range(0, len(stored), rows)]
    with connected(engine):
        found = work.over("scan", scanned, (stored, seed), spans, cost.scan, "reading the rows")
        digests = found.rows[0]
        noisy = Noisy(stored.shape[1], classes, codes, digests, seed)
        contents = Contents.of(codes, digests, votes, classes)
        blocks = blocks_of(codes, digests, contents.common, rows, contents.ballots)
        sure = Trusted.of(trusted, noisy, None if predicted is None else predicted.trusted)
        against = 0
        if voice is not None:
            note = "what your model says"
            counts = work.over("predicted", looked_through, (voice,), blocks, cost.predicted, note).sums
            against, voice = int(counts[0]), voice if counts[1] else None
        return _Judging(stored, noisy, contents, blocks, sure, voice, against, work, cost).judgement(found)


@dataclass(frozen=True, eq=False)
class _Judging:
    """predicted: the probabilities of the user's own model, None if they say nothing. against: how many labels differ
    from the class that it finds most probable.
    """

    stored: Stored
    noisy: Noisy
    contents: Contents
    blocks: Sequence[Block]
    trusted: Trusted
    predicted: Predicted | None
    against: int
    work: Work
    cost: Cost

    @property
    def classes(self) -> IntVector:
        return self.noisy.classes

    @property
    def codes(self) -> IntVector:
        return self.noisy.codes

    def judgement(self, scan: Total) -> Judgement:
        """The two stacks one after the other, and what the second one says of every row. scan: of `scanned`."""
        learners, sample, trusted, noise = self._first(scan)
        forward, note = self.cost.forward, "what the noise looks like"
        models = forward_models(self.stored, learners.views, noise, self._learnt(), trusted.known, self.work, forward)
        learners, scores = sample.scores(replace(learners, forward=models))
        if self.predicted is not None:
            plain = Stack(*self.work.once("plain", lambda: _as_arrays(sample.stack(scores))))
            self._refuse_in_sample(sample, plain, scores)
            learners, scores = sample.scores(replace(learners, heard=True, deviations=None))
        stack = Stack(*self.work.once("stack", lambda: _as_arrays(sample.stack(scores))))
        gold = None
        if len(trusted.known):
            gold = Stack(*self.work.once("gold", lambda: _as_arrays(sample.stack(scores, gold=True))))
        self.work.advance(self.cost.second, note)
        shared = (self.stored, self.predicted, learners, stack)
        beliefs = self.work.over("judged", judged, shared, self.blocks, self.cost.judge, "beliefs about the labels")
        found = beliefs.rows
        caveats = self._caveats(sample.noisy, trusted.unused)
        drawn, recount = self.contents.drawn, None
        if not any(one.hides_count for one in caveats):
            people = None if drawn is None else Annotators.of(stack.noise, beliefs.sums, found[3])
            known = self.noisy, self.contents, learners
            recount = Recount(self.stored, self.predicted, *known, sample, stack, gold, people)
        count = None if recount is None else recount.first(scores)
        self.work.advance(self.cost.count, "how many are wrong")
        return Judgement(
            suspicion=found[0],
            suggestion=self.classes[found[1]],
            probability=found[2],
            copy_of=self._copies(),
            digests=self.noisy.digests,
            classes=self.classes,
            noise_matrix=stack.noise if drawn is None else common_noise(stack.noise, drawn),
            count=count,
            recount=recount,
            deviations=misjudged(len(trusted.known), len(self.classes)),
            caveats=caveats,
        )

    def _first(self, scan: Total) -> tuple[Learners, Sample, Trusted, FloatMatrix]:
        """The learners that need one pass, the rows of the stacks, the trusted rows that are used, and the noise."""
        rng, firsts, clean = np.random.default_rng(self.noisy.seed), self.contents.firsts, self.trusted.known
        every = len(firsts) + len(clean)
        landmarks = self._rows(firsts, rng.choice(every, min(LANDMARKS, every), replace=False))
        mixed = rng.permutation(len(clean))
        heard, sure = clean.take(mixed[: REFERENCE // 2]), clean.take(mixed[:STACKED_ROWS])
        voters, drawn = (
            firsts[rng.choice(len(firsts), min(count, len(firsts)), replace=False)]
            for count in (REFERENCE - len(heard), STACKED_ROWS)
        )
        share = len(drawn) / len(firsts) * len(clean) / max(len(sure), 1)
        sample = Sample(self._known(drawn), sure, *self.contents.labels_of(drawn), share)
        reference = self._known(voters)
        views, note = self._views(scan, sample, landmarks), "what the classes look like"
        shared = (self.stored, views, len(self.classes))
        sums = self.work.over("grams", grams, shared, self._learnt(), self.cost.grams, note).sums
        learners = self._learners(views, sums, reference, heard, clean)
        none = self.trusted.without()

        def alone() -> Learners:
            return self._learners(views, sums, reference, none.known, none.known)

        noise, misleading = self.work.once("noise", lambda: _noise(sample, learners, alone))
        self.work.advance(self.cost.first, "what the noise looks like")
        if misleading:
            return alone(), sample.alone(), none, noise
        return learners, sample, self.trusted, noise

    def _known(self, rows: IntVector) -> Known:
        voice = None if self.predicted is None else self.predicted.take(rows)
        common, digests = self.contents.common[rows], self.noisy.digests[rows]
        return Known(self.stored.take(rows), common, digests, voice=voice, ballots=self.contents.said(rows))

    def _learnt(self) -> list[Block]:
        """The blocks with one label for each content, that of its first row: copies are one piece of evidence."""
        learnt = np.full(len(self.codes), -1)
        learnt[self.contents.firsts] = self.contents.common[self.contents.firsts]
        return [replace(block, codes=learnt[block.start : block.stop]) for block in self.blocks]

    def _refuse_in_sample(self, sample: Sample, stack: Stack, scores: Single) -> None:
        """Raises InvalidInput for probabilities of rows that the model seems to have been fitted on.

        stack and scores: without these probabilities.
        """
        n, clean = int(np.count_nonzero(self.codes >= 0)), self.trusted.known
        if clean.voice is not None:
            refuse_ahead(1 - self.against / n, n, clean.voice.argmax(axis=1) == clean.codes)

        def shown() -> float:
            gold = sample.stack(scores, gold=True) if len(sample.clean) else None
            return sample.count(stack, scores, gold).low * n / len(sample.given)

        refuse_agreeing(sample.judged(stack, scores), n, self.against, shown)

    def _rows(self, firsts: IntVector, numbers: IntVector) -> Single:
        """Some of the rows `firsts` and, numbered after them, of the clean rows."""
        inside = numbers < len(firsts)
        clean = self.trusted.known.rows[numbers[~inside] - len(firsts)]
        return np.concatenate([self.stored.take(firsts[numbers[inside]]), clean])

    def _caveats(self, noisy: Known, unused: Unused) -> tuple[Caveat, ...]:
        """All of them. Classes may be named differently in trusted rows that are not used, too: they then mislead."""
        given, every = self.classes[self.codes[self.codes >= 0]], np.arange(min(len(self.trusted.known), STACKED_ROWS))
        some, sure = noisy.split(self.classes), self.trusted.known.take(every).split(self.classes)
        found = caveats_of(given, some, sure if len(sure) else None, unused, noisy.voice)
        agree = self.predicted is not None and not self.against
        return (*found, of_agreement(len(given))) if agree else found

    def _copies(self) -> IntVector:
        _, first, number = np.unique(self.noisy.digests, return_index=True, return_inverse=True)
        original = first[number]
        return np.where(original == np.arange(len(original)), -1, original)

    def _views(self, scan: Total, sample: Sample, landmarks: Single) -> Views:
        clean = self.trusted.known
        n = len(self.stored) + len(clean)
        sums = (one + more for one, more in zip(scan.sums, sums_of(clean.rows), strict=True))
        mean, square = (one / n for one in sums)
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        deviation = np.where(deviation < 1e-6 * np.maximum(np.abs(mean), 1e-6), 1.0, deviation)
        single = [one.astype(np.float32) for one in (mean, deviation)]
        rows = np.concatenate([sample.noisy.rows, sample.clean.rows])
        weights = np.repeat([1.0, sample.share], [len(sample.noisy), len(sample.clean)])
        return Views.of(single[0], single[1], rows, weights, landmarks)

    def _learners(self, views: Views, sums: Arrays, noisy: Known, heard: Known, clean: Known) -> Learners:
        """The ridge learners and the vote. sums: of `grams`. noisy and heard: noisy and clean rows that vote."""
        n_classes, often = len(self.classes), self.contents.often
        known = clean.codes if len(clean) else self.codes[self.codes >= 0]
        if len(clean) or often is None:
            often = np.bincount(known, minlength=n_classes).astype(np.float64)
        prior = 0.5 * often / often.sum() + 0.5 / n_classes
        rbf_noise, linear_noise = noise_variances(n_classes)
        penalty = landmark_penalty(views.landmarks, views.scale, rbf_noise)
        plain, plain_sums, near, near_sums = sums
        flat, steep = np.eye(len(plain)) * linear_noise, views.kernel(views.roots(clean.rows))
        return Learners(
            views,
            Ridge.of(plain, plain_sums, flat, LINEAR_GAIN, prior, views.plain(clean.rows), clean.codes),
            Ridge.of(near, near_sums, penalty, 1.0, prior, steep, clean.codes),
            Vote.of(views, noisy, heard),
        )


def _noise(sample: Sample, learners: Learners, alone: Callable[[], Learners]) -> Arrays:
    """The noise matrix of the first stack, and whether that is the one without the clean rows, since these mislead.

    alone: the learners without them. Clean rows among the voters take the place of noisy ones, which makes the noisy
    labels a little harder to predict. So it has to be by more than a little, and also with a forward learner, which is
    fitted to the sample where that seems to be the case.
    """
    scores = sample.scores(learners)[1]
    stack = sample.stack(scores)
    if not len(sample.clean):
        return stack.noise, np.array(0.0)
    noisy = sample.alone()
    others = noisy.scores(alone())[1]
    without = noisy.stack(others)
    if _misled(sample.predicted(stack, scores), noisy.predicted(without, others)) and _misled(
        sample.predicted_forward(stack, scores), noisy.predicted_forward(without, others)
    ):
        return without.noise, np.array(1.0)
    return stack.noise, np.array(0.0)


def _misled(predicted: FloatVector, alone: FloatVector) -> bool:
    return surely_worse(predicted, alone) and float((alone - predicted).mean()) > _LITTLE


def _as_arrays(stack: Stack) -> Arrays:
    return stack.weights, stack.offset, stack.noise, stack.row_noise
