"""Reads the tables of a run as others do: `tables.py DIR...`. Prints what is wrong and fails if anything is.

Every table is there as CSV and as Parquet. pyarrow and DuckDB read from Parquet what CSV says, cell by cell; readers of
CSV that guess what columns are (polars, DuckDB) read it, and take no list of nodes for a number.
"""

import csv
import datetime
import pathlib
import sys

import duckdb
import polars
import pyarrow.parquet

LISTS = {"racks": "r", "nodes": "n"}


def indices(cell, mark):
    """The indices that `n3-5;n9` names."""
    found = []
    for part in cell.split(";"):
        first, _, last = part.removeprefix(mark).partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def agrees(cell, value, column):
    """Whether a value says what a cell of CSV says."""
    if cell == "" or value is None:
        return cell == "" and value is None
    if column in LISTS:
        mark = LISTS[column]
        return all(part.startswith(mark) for part in cell.split(";")) and indices(cell, mark) == value
    if isinstance(value, datetime.datetime):
        return datetime.datetime.fromisoformat(cell) == value
    if isinstance(value, str):
        return cell == value
    return type(value)(cell) == value


def compared(name, reader, columns, rows, header, cells):
    """How what a reader of Parquet found differs from CSV."""
    if columns != header:
        return [f"{name}: {reader} finds columns {columns}, CSV has {header}"]
    if len(rows) != len(cells):
        return [f"{name}: {reader} finds {len(rows)} rows, CSV has {len(cells)}"]
    wrong = []
    for number, (row, line) in enumerate(zip(rows, cells), start=2):
        for column, value, cell in zip(header, row, line):
            if not agrees(cell, value, column):
                wrong.append(f"{name}.csv:{number}: {column} is {cell!r}, {reader} finds {value!r} in Parquet")
    return wrong


def guessed(path, header, cells):
    """What readers of CSV make of a file when they guess."""
    wrong = []
    frame = polars.read_csv(path, try_parse_dates=True)
    if frame.shape != (len(cells), len(header)):
        wrong.append(f"{path.name}: polars finds {frame.shape}")
    kinds = duckdb.sql(f"describe select * from read_csv('{path}')").fetchall()
    types = {"polars": {column: str(kind) for column, kind in frame.schema.items()}, "DuckDB": {kind[0]: kind[1] for kind in kinds}}
    for reader, found in types.items():
        for place, column in enumerate(header):
            known = any(line[place] for line in cells)
            if column in LISTS and known and found[column] not in ("String", "VARCHAR"):
                wrong.append(f"{path.name}: {reader} takes {column} for {found[column]}")
            if column.endswith("_utc") and known and not found[column].upper().startswith(("DATETIME", "TIMESTAMP")):
                wrong.append(f"{path.name}: {reader} takes {column} for {found[column]}")
    return wrong


def read(path):
    """Everything that is wrong with a table, given as its CSV, and how many cells it has."""
    with path.open(newline="") as file:
        header, *cells = csv.reader(file)
    parquet = path.with_suffix(".parquet")
    table = pyarrow.parquet.read_table(parquet)
    rows = list(zip(*(column.to_pylist() for column in table.columns))) if table.num_rows else []
    wrong = compared(path.stem, "pyarrow", table.column_names, rows, header, cells)
    duckdb.sql("set timezone = 'UTC'")
    found = duckdb.sql(f"select * from read_parquet('{parquet}')")
    wrong += compared(path.stem, "DuckDB", found.columns, found.fetchall(), header, cells)
    if cells:
        wrong += guessed(path, header, cells)
    return wrong, len(header) * len(cells)


def main():
    problems, tables, cells = [], 0, 0
    for folder in sys.argv[1:]:
        for path in sorted(pathlib.Path(folder).glob("*.parquet")):
            wrong, count = read(path.with_suffix(".csv"))
            problems += wrong
            tables, cells = tables + 1, cells + count
    for problem in problems[:60]:
        print(problem)
    print(f"{tables} tables, {cells} cells, {len(problems)} problems")
    sys.exit(1 if problems or cells == 0 else 0)


if __name__ == "__main__":
    main()
