"""Cases: functions found by their mark, each with a sentence for a name and fixtures by parameter name."""

import inspect


def case(sentence):
    """Marks a function as a case. Its parameters say what it needs:

    world    everything: nodes of its own, clients, directories
    node     the node that most cases share
    space    a namespace on that node, removed afterwards
    kubectl  a client bound to the space: the case runs once for each version

    A case that waits long for something returns a function, its second half, which is run after all other cases.
    """

    def mark(function):
        function.sentence = sentence
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
