"""Workers that are broken on purpose: each module changes one thing, and the tests must notice."""


def put(owner: object, name: str, broken: object) -> None:
    """Replace an attribute of a module or a class by the broken one."""
    assert hasattr(owner, name), f"{owner} has no {name}: the mutant would break nothing"
    setattr(owner, name, broken)
