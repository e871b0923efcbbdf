"""The cases, one module for each subject. A module is found by being here, a case by its mark."""
