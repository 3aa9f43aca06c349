"""The algorithm of the published evaluator in torch: the reference for the `dataperf` learner, in numbers and speed.

Written from its definition (network, optimizer, batches, thresholds) with the components that the original uses: a
DataLoader in file order, torch.optim.AdamW, one full evaluation per threshold, one fit per fix. Needs torch, which is
not a dependency of this project.
"""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 42


def network(width):
    torch.manual_seed(SEED)
    return nn.Sequential(nn.Linear(width, 128), nn.Linear(128, 1))


class Classifier:
    """A classifier of features (n, d), float32, into labels (n,) of 0 and 1."""

    def __init__(self, width):
        self.model = network(width)
        self.threshold = 0.5

    def fit(self, features, labels):
        rows = TensorDataset(torch.tensor(features), torch.tensor(labels, dtype=torch.float32))
        loss_of = nn.BCEWithLogitsLoss()
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01, weight_decay=0.9)
        for _ in range(20):
            for x, y in DataLoader(rows, batch_size=64, shuffle=False):
                optimizer.zero_grad()
                loss_of(self.model(x).reshape(y.shape), y).backward()
                optimizer.step()
        best, chosen = 0.0, 0.0
        for threshold in np.arange(0.1, 1, 0.05):
            self.threshold = threshold
            reached = self.accuracy(features, labels)
            if reached > best:
                best, chosen = reached, threshold
        self.threshold = chosen
        return self

    def probabilities(self, features):
        with torch.no_grad():
            return torch.sigmoid(self.model(torch.tensor(features))).numpy().ravel()

    def accuracy(self, features, labels):
        predicted = self.probabilities(features) > np.float32(self.threshold)
        return float(np.round(np.mean(predicted == labels), 2))


def accuracies(train, labels, truth, order, test, test_labels, fits=None):
    """Rounded test accuracy after 0 … n fixes, one fit each. `fits`: a cache by label vector; None: always refit."""
    labels, reached = labels.copy(), []
    for k in range(len(order) + 1):
        if k:
            labels[order[k - 1]] = truth[order[k - 1]]
        key = labels.tobytes()
        if fits is None or key not in fits:
            accuracy = Classifier(train.shape[1]).fit(train, labels).accuracy(test, test_labels)
            if fits is not None:
                fits[key] = accuracy
        reached.append(accuracy if fits is None else fits[key])
    return reached
