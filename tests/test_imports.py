"""The import graph: no circle, whatever is imported where and when."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

ROOMS = ("cleaning", "baselines", "evaluation")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS)


def test_no_module_imports_itself_by_a_detour(graph):
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 100
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_no_room_of_evaluation_imports_its_way_back(graph):
    def room(module: str) -> str:
        return ".".join(module.split(".")[:2])

    arrows: dict[str, set[str]] = {}
    for module in graph.modules:
        if module.startswith("evaluation."):
            others = {room(found) for found in graph.find_modules_directly_imported_by(module)}
            arrows.setdefault(room(module), set()).update(others - {room(module), "evaluation"})
    TopologicalSorter(arrows).prepare()
