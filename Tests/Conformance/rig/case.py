"""Cases: functions found by their mark, each with a sentence for a name and fixtures by parameter name."""

import inspect


def case(sentence, alone=False):
    """Marks a function as a case. Its parameters say what it needs:

    world    everything: nodes of its own, clients, directories
    node     the node that most cases share
    space    a namespace on that node, removed afterwards
    kubectl  a client bound to the space: the case runs once for each version

    A case that waits long for something returns a function, its second half, which is run after the others. One that needs the
    machine for itself, because it measures or fills what all share, says that it is to be run alone.
    """

    def mark(function):
        function.sentence = sentence
        function.alone = alone
        function.needs = tuple(inspect.signature(function).parameters)
        return function

    return mark


def find(modules):
    """The cases of the modules in the order in which they are written."""
    return [
        value
        for module in modules
        for value in vars(module).values()
        if callable(value) and hasattr(value, "sentence") and value.__module__ == module.__name__
    ]
