"""Any scikit-learn classifier, named by its dotted path and refitted for every distinct label vector."""

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.errors import InvalidInput, Unsuitable, suggest
from cleaning.parallel.engine import thread_pools
from cleaning.progress import Progress
from cleaning.simulation.label_path import LabelPath
from cleaning.vectors.scaling import Scaling, scaled

_SEED = 0
_BLOCK = 16
_OWN = ("classifier", "scaling", "accept_unconverged")


@dataclass(frozen=True)
class Learner:
    """A scikit-learn classifier and its options.

    classifier: the dotted path, for example `sklearn.svm.LinearSVC`. options: arguments of the classifier; the others
    have scikit-learn's defaults. scaling: as for the logistic learner. accept_unconverged: accept fits that do not
    converge. Otherwise they are errors, because the accuracy would depend on where the fit happened to stop.

    Only modules of scikit-learn are accepted: parameters.yaml may come from someone else, and naming a class must not
    run code outside this installation's pinned packages. A classifier with a `random_state` gets a fixed one.
    """

    classifier: str
    scaling: Scaling = "none"
    accept_unconverged: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Learner":
        """From keys of parameters.yaml, both ours and the classifier's. Raises InvalidInput for unknown keys."""
        name, scaling = options.get("classifier"), options.get("scaling", "none")
        accept = options.get("accept_unconverged", False)
        if not isinstance(name, str):
            raise InvalidInput(
                "learner sklearn", "it has no classifier", "add a line like `classifier: sklearn.svm.LinearSVC`"
            )
        if scaling not in get_args(Scaling):
            raise InvalidInput(
                "learner sklearn, scaling", f"found {scaling!r}", f"use one of {', '.join(get_args(Scaling))}"
            )
        if not isinstance(accept, bool):
            raise InvalidInput("learner sklearn, accept_unconverged", f"found {accept!r}", "use true or false")
        own = {key: value for key, value in options.items() if key not in _OWN}
        learner = cls(name, scaling, accept, own)
        known = _made(learner).get_params()
        for key in own:
            if key not in known:
                raise InvalidInput(
                    f"learner sklearn, {name}", f"unknown option {key!r}", suggest(key, [*known, *_OWN[1:]])
                )
        return learner

    def describe(self) -> dict[str, object]:
        """Name and options."""
        own = {"classifier": self.classifier, "scaling": self.scaling, "accept_unconverged": self.accept_unconverged}
        return {"name": "sklearn", **own, **self.options}

    def block_size(self, path: LabelPath) -> int:  # noqa: ARG002 - the shape does not tell what a fit costs
        """States per block: enough refits to be worth a job of their own."""
        return _BLOCK

    def accuracies(self, path: LabelPath, test: Split, progress: Progress) -> FloatVector:
        """Test accuracy in every state, with one fit per state, on one thread.

        Raises Unsuitable if a fit does not converge, or if only one class is left and the classifier rejects that.
        Raises InvalidInput if the classifier rejects its options or the data.
        """
        features, test_features = scaled(path.features, test.features, self.scaling)
        model = _made(self)
        accuracy = np.empty(len(path))
        with thread_pools().limit(limits=1):
            for state in range(len(path)):
                predicted = self._predicted(model, features, path.labels_at(state), test_features)
                accuracy[state] = np.mean(predicted == test.labels)
                progress(state + 1, len(path))
        return accuracy

    def _predicted(self, model: Any, features: FloatMatrix, labels: IntVector, test: FloatMatrix) -> IntVector:
        from sklearn.base import clone
        from sklearn.exceptions import ConvergenceWarning

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore" if self.accept_unconverged else "error", ConvergenceWarning)
                return np.asarray(clone(model).fit(features, labels).predict(test))
        except ConvergenceWarning as warning:
            raise Unsuitable(
                f"learner sklearn: {self.classifier} does not converge on these data ({_first_line(warning)}). Fix: "
                "raise its max_iter, loosen its tol, or set `scaling: standard` or `accept_unconverged: true`."
            ) from None
        except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
            if len(np.unique(labels)) == 1:
                raise Unsuitable(
                    f"learner sklearn: {self.classifier} rejects training labels of a single class, and only class "
                    f"{labels[0]} is left. Fix: use the logistic learner or a decision tree."
                ) from error
            raise InvalidInput(
                f"learner sklearn, {self.classifier}", _first_line(error), "correct its options in parameters.yaml"
            ) from error


def _made(learner: Learner) -> Any:
    """The unfitted classifier."""
    kind = _class_named(learner.classifier)
    try:
        model = kind()
    except TypeError as error:
        raise InvalidInput(
            f"learner sklearn, {learner.classifier}",
            f"it cannot be created from plain settings ({error})",
            "use a classifier that needs no other estimator",
        ) from None
    known = model.get_params()
    chosen = {key: value for key, value in learner.options.items() if key in known}
    if "random_state" in known and chosen.get("random_state") is None:
        chosen["random_state"] = _SEED
    return model.set_params(**chosen)


def _class_named(name: str) -> type:
    from sklearn.base import ClassifierMixin

    module_name, _, class_name = name.rpartition(".")
    where = f"learner sklearn, classifier {name!r}"
    if not module_name.startswith("sklearn.") or any(part.startswith("_") for part in name.split(".")):
        raise InvalidInput(
            where, "it is not a public class of scikit-learn", "give the full name, like sklearn.svm.LinearSVC"
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InvalidInput(
            where, f"there is no such module ({error})", "give the full name, like sklearn.svm.LinearSVC"
        ) from None
    there = {key: value for key, value in vars(module).items() if isinstance(value, type)}
    classifiers = {key: value for key, value in there.items() if issubclass(value, ClassifierMixin)}
    if class_name not in classifiers:
        problem = "it is not a classifier" if class_name in there else f"there is no such class in {module_name}"
        raise InvalidInput(where, problem, suggest(class_name, classifiers))
    return classifiers[class_name]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
