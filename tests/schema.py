"""Validates files with a validator that is not ours: `schema.py SCHEMA FILE...`. Prints what is wrong with each of them."""

import json
import pathlib
import sys
import tomllib

import jsonschema


def plain(value):
    """A value of TOML as JSON has it: dates are texts."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    for path in map(pathlib.Path, sys.argv[2:]):
        text = path.read_text()
        value = json.loads(text) if path.suffix == ".json" else plain(tomllib.loads(text))
        for error in validator.iter_errors(value):
            wrong += 1
            # Of several ways, the one that comes farthest is meant.
            while error.context:
                error = max(error.context, key=lambda way: len(way.absolute_path))
            print(f"{path.name}: {error.json_path}: {error.message[:200]}")
    print(f"{len(sys.argv) - 2} files, {wrong} problems")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
