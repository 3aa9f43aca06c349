import pytest

from cleaning import InvalidInput
from cleaning.parallel.engine import Engine
from evaluation.contract.loading import load_parameters
from evaluation.contract.registry import make_learner
from evaluation.settings.parameters import LearnerSpec
from tests.support import ROOT


def load(tmp_path, text):
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    return load_parameters(path)


def test_the_file_we_deliver_is_valid_and_offline():
    parameters = load_parameters(ROOT / "workspace" / "parameters.yaml")
    sources = [s.source for block in parameters.enabled().values() for s in block.sources]
    assert sources
    assert all(source.startswith("sklearn:") for source in sources)
    assert not parameters.datasets["dataperf"].enabled
    assert len(parameters.datasets["dataperf"].files) == 24


def test_everything_has_a_default(tmp_path):
    parameters = load(tmp_path, "version: 1\n")
    assert (parameters.seeds, parameters.jobs, parameters.target, parameters.tasks) == ((0,), 1, 0.95, ("cleaning",))
    assert parameters.rankers == "all"
    assert parameters.learner_of("anything").name == "logistic"


def test_blocks_name_their_data_ids_and_learner(tmp_path):
    parameters = load(
        tmp_path,
        "datasets:\n"
        "  a: {sources: 'sklearn:digits', noise: {kind: symmetric, draws: [3, 5]}}\n"
        "  b: {ids: [x, y-z], learner: {name: logistic, C: 2}}\n"
        "  c: {ids: [q], enabled: false}\n",
    )
    assert parameters.datasets["a"].data_ids("a") == ("a-3", "a-5")
    assert list(parameters.enabled()) == ["a", "b"]
    assert parameters.learner_of("x").model_extra == {"C": 2}
    assert parameters.learner_of("a-3").name == "logistic"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sead: [0]\n", "line 1: unknown key 'sead'; did you mean seeds"),
        ("version: 1\ndatasets:\n  a:\n    idz: [x]\n", "line 4, datasets.a: unknown key 'idz'; did you mean ids"),
        ("jobs: two\n", "line 1, jobs: .*integer.*found 'two'"),
        ("\n\njobs: 1.5\n", "line 3, jobs"),
        ("jobs: 0\n", "line 1, jobs: .*found 0"),
        ("version: 1\ncluster: http://a:1\n", "line 2, cluster: .*tcp://host:8786.*found 'http://a:1'"),
        ("cluster: 5\n", "line 1, cluster: .*found 5"),
        ("budgets: 0\n", "line 1, budgets: .*found 0"),
        ("tasks: []\n", "line 1, tasks: .*at least 1 item"),
        ("version: 1\ntasks: [zero_shott]\n", "line 2, tasks.0: there is no such task.*did you mean zero_shot"),
        ("datasets:\n  a: {task: logos, ids: [b]}\n", "line 2, datasets.a.task: there is no such task.*mean logo"),
        ("rules:\n  logoo: {counts: best}\n", "line 2, rules.logoo: there is no such task.*did you mean logo"),
        ("bounds: [random]\n", "line 1, bounds.0: there is no such bound, found 'random'.*oracle_errors_first"),
        ("budgets: [3, -1]\n", r"line 1, budgets: .*found \[3, -1\]"),
        ("budgets: [3, 4.5]\n", "line 1, budgets: "),
        ("budgets: true\n", "line 1, budgets: .*found True"),
        ("target: 2\n", "target: .*less than or equal to 1.*found 2"),
        ("seeds: []\n", "line 1, seeds"),
        ("seeds: 3\n", "seeds"),
        ("seeds: [0, -1]\n", "line 1, seeds.1: .*greater than or equal to 0, found -1"),
        ("rankers: random\n", r"line 1, rankers: write a list: \[random\]"),
        ("predictors: random\n", r"line 1, predictors: write a list: \[random\]"),
        ("tasks: all\n", r"line 1, tasks: write a list: \[all\]"),
        ("seeds: 4\n", r"line 1, seeds: write a list: \[4\]"),
        ("version: 1\ndatasets:\n  a:\n    ids: example\n", r"line 4, datasets.a.ids: write a list: \[example\]"),
        ("version: 2\n", "version: .*found 2"),
        ("a: b: c\n", "line 1: this is not YAML"),
        ("jobs: 1\njobs: 2\n", "line 2: the key 'jobs' appears twice"),
        ("- 1\n", "there are no `key: value` lines"),
        ("", "there are no `key: value` lines"),
        (
            "rules:\n  logo:\n    counts: better\n",
            "line 3, rules.logo.counts: .*'best', found 'better'",
        ),
        (
            "rules:\n  logo: {rate: {minutes_apart: 1.0e+300}}\n",
            "line 2, rules.logo.rate.minutes_apart: .*less than or",
        ),
        ("rules:\n  logo: {rate: {per_day: 0}}\n", "line 2, rules.logo.rate.per_day: .*greater than or equal to 1"),
        (
            "rules:\n  logo: {rate: {per_week: 3}}\n",
            "line 2, .*unknown key 'per_week'; did you mean per_day",
        ),
        ("datasets: {a: {ids: ['../x']}}\n", "'../x' cannot be a data id"),
        ("datasets: {../a: {ids: [x]}}\n", "line 1, datasets: '../a' cannot be the name of a data set"),
        ("datasets: {a: {ids: [42]}}\n", r"line 1, datasets.a.ids.0: .*valid string, found 42"),
        ("datasets: {a: {ids: [x]}, b: {ids: [x]}}\n", "the data id 'x' appears in both a and b"),
        ("datasets: {a: {files: {../../etc/passwd: '00'}}}\n", "must be under embeddings/ or data/"),
        ("datasets: {a: {files: {data/../../x: '00'}}}\n", "must be under"),
        ("datasets: {a: {files: {data/x.csv: abc}}}\n", "'abc' of data/x.csv is not a sha256"),
        ("datasets: {a: {sources: [{source: 'https://x/y.zip', sha256: zz}]}}\n", "sha256"),
        ("datasets: {a: {noise: {kind: odd}}}\n", "noise.kind: .*'symmetric' or 'one_directional', found 'odd'"),
        ("jobs: x\ntarget: y\n", "the first of 2 problems"),
    ],
)
def test_bad_settings_are_located(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=f"parameters.yaml.*{message}"):
        load(tmp_path, text)


def test_where_curves_are_computed_and_at_which_points(tmp_path):
    parameters = load(tmp_path, "jobs: -1\ncluster: tcp://127.0.0.1:8786\nbudgets: [5, 10]\n")
    assert parameters.engine() == Engine(-1, "tcp://127.0.0.1:8786")
    assert parameters.budgets == (5, 10)
    assert load(tmp_path, "budgets: 40\n").budgets == 40
    assert load(tmp_path, "budgets:\n").engine() == Engine()


def test_a_missing_file_says_how_to_name_another(tmp_path):
    with pytest.raises(InvalidInput, match="--workspace=DIR"):
        load_parameters(tmp_path / "parameters.yaml")


def test_deep_nesting_is_no_stack_trace(tmp_path):
    with pytest.raises(InvalidInput):
        load(tmp_path, "a: " + "[" * 600 + "]" * 600)


def test_learners_are_made_with_checked_options():
    made = make_learner(LearnerSpec.model_validate({"name": "logistic", "C": 2}))
    assert made.describe()["C"] == 2
    for options, message in [
        ({"name": "logistik"}, "did you mean logistic"),
        ({"name": "logistic", "c": 1}, "unknown option 'c'"),
        ({"name": "logistic", "C": "big"}, "option C: .*found 'big'"),
        ({"name": "logistic", "C": 0}, "option C: found 0.0.*above 0"),
        ({"name": "logistic", "C": -1}, "option C: found -1.0.*above 0"),
        ({"name": "logistic", "C": float("inf")}, "option C: found inf"),
        ({"name": "logistic", "C": float("nan")}, "option C: found nan"),
        ({"name": "logistic", "scaling": "log"}, "scaling"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            make_learner(LearnerSpec.model_validate(options))
