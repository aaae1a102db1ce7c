"""Imports in the bodies of functions that travel by value, read from their bytecode: their source may be nowhere."""

import dis
import types

_IMPORT_NAME = dis.opmap["IMPORT_NAME"]


def imported_names(code: types.CodeType, package: str) -> list[str]:
    """Names of what the code imports when it runs, modules or parts of one; relative ones start from `package`."""
    names: list[str] = []
    if _IMPORT_NAME in code.co_code[::2]:
        before: list[dis.Instruction] = []
        for instruction in dis.get_instructions(code):
            # The compiler loads two constants before an import: how many packages up, and the names wanted.
            if instruction.opcode == _IMPORT_NAME and len(before) == 2:
                base = absolute(str(instruction.argval), int(before[0].argval), package)
                names += [base, *(f"{base}.{item}" for item in before[1].argval or ())]
            before = [*before[-1:], instruction]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += imported_names(constant, package)
    return names


def absolute(name: str, level: int, package: str) -> str:
    """The full name of a module that is imported `level` packages up from inside a package."""
    if level == 0:
        return name
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{name}" if name else base
