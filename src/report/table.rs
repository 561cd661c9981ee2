//! Tables as text: a header, a line under it, and no other line; in a terminal that is too narrow, rows below each other.

use super::lines::{columns, hung, wrapped};
use comfy_table::{
    Cell, CellAlignment, Column, ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle,
    Width,
};

/// A line under the header.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// Columns without which a cell of words cannot be read, and those for which a long word is broken.
const LEAST: u16 = 16;
const LONGEST: u16 = 32;

/// An empty table of at most `width` columns.
pub(crate) fn new<'a>(width: u16, header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header.into_iter().map(Cell::new));
    table
}

/// The same without a header.
pub(crate) fn headless(width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}

/// Keeps these columns as wide as what is in them; the others share the rest.
pub(crate) fn rigid(table: &mut Table, columns: impl IntoIterator<Item = usize>) {
    constrain(table, columns, ColumnConstraint::ContentWidth);
}

/// Gives these columns no less than so much room, padding excluded.
pub(crate) fn at_least(table: &mut Table, column: usize, width: usize) {
    let width = u16::try_from(width).unwrap_or(u16::MAX);
    constrain(table, [column], ColumnConstraint::LowerBoundary(Width::Fixed(width)));
}

fn constrain(table: &mut Table, columns: impl IntoIterator<Item = usize>, constraint: ColumnConstraint) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(constraint);
        }
    }
}

/// Aligns these columns to the right, header included.
pub(crate) fn right(table: &mut Table, columns: impl IntoIterator<Item = usize>) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The table as text, without blanks at line ends.
pub(crate) fn text(table: &mut Table) -> String {
    // The first column needs no room towards the edge.
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    if !is_wide_enough(table) {
        return records(table);
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Whether all columns have room beside each other, none so narrow that words are broken into letters.
pub(crate) fn is_wide_enough(table: &Table) -> bool {
    let needed = |(column, content): (&Column, u16)| {
        let own = match column.constraint() {
            Some(ColumnConstraint::ContentWidth) => content,
            Some(ColumnConstraint::LowerBoundary(Width::Fixed(least))) => content.min(*least),
            _ => content.min(longest_word(table, column.index).clamp(LEAST, LONGEST)),
        };
        u32::from(own) + u32::from(column.padding_width())
    };
    let all: u32 = table.column_iter().zip(table.column_max_content_widths()).map(needed).sum();
    table.width().is_none_or(|width| all <= u32::from(width))
}

/// Columns of the longest word of a column.
fn longest_word(table: &Table, column: usize) -> u16 {
    let cells = table.column_cells_iter(column).flatten().map(Cell::content);
    let longest = cells.map(|cell| cell.split_whitespace().map(columns).max().unwrap_or(0)).max();
    u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX)
}

/// A row after the other: what its first cell says, then every other cell after its header.
fn records(table: &Table) -> String {
    let width = usize::from(table.width().unwrap_or(u16::MAX));
    let cells = |row: &Row| -> Vec<String> { row.cell_iter().map(Cell::content).collect() };
    let heads: Vec<String> = table.header().map(cells).unwrap_or_default();
    let heads: Vec<String> = heads.iter().map(|head| wrapped(head, usize::MAX).join(" ")).collect();
    let label = heads.iter().skip(1).map(|head| columns(head)).max().unwrap_or(0);
    let mut lines = Vec::new();
    if let Some(first) = heads.first().filter(|first| !first.is_empty()) {
        lines.extend(wrapped(first, width));
        lines.push("─".repeat(lines.iter().map(|line| columns(line)).max().unwrap_or(0)));
    }
    for row in table.row_iter() {
        let cells = cells(row);
        lines
            .extend(cells.iter().take(1).flat_map(|name| name.lines()).flat_map(|name| wrapped(name, width)));
        for (place, cell) in cells.iter().enumerate().skip(1).filter(|(_, cell)| !cell.is_empty()) {
            let head = heads.get(place).map_or("", String::as_str);
            lines.extend(field(head, label, cell, width));
        }
    }
    lines.join("\n") + "\n"
}

/// A cell after its header, or below it where there is too little room beside it.
fn field(head: &str, label: usize, cell: &str, width: usize) -> Vec<String> {
    let longest = cell.split_whitespace().map(columns).max().unwrap_or(0);
    let beside = label == 0 || width.saturating_sub(label + 4) >= longest.max(usize::from(LEAST));
    let mut lines = if beside { Vec::new() } else { hung("  ", head, width) };
    for (index, part) in cell.lines().enumerate() {
        let begin = match (beside, index) {
            (false, _) => "    ".to_owned(),
            (true, _) if label == 0 => "  ".to_owned(),
            (true, 0) => format!("  {head}{}  ", " ".repeat(label - columns(head))),
            (true, _) => " ".repeat(label + 4),
        };
        lines.extend(hung(&begin, part, width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: u16) -> String {
        let mut table = new(width, ["place", "GPUs\nfree", "what there is to say of it"]);
        table.add_row(["hall-2", "1,152", "a sentence that is longer than any terminal of forty columns"]);
        table.add_row(["hall-3", "", "–"]);
        right(&mut table, [1]);
        rigid(&mut table, 0..2);
        text(&mut table)
    }

    #[test]
    fn what_does_not_fit_beside_each_other_stands_below() {
        insta::assert_snapshot!("beside_each_other", table(60));
        insta::assert_snapshot!("below_each_other", table(28));
    }

    #[test]
    fn every_word_is_there_in_any_width() {
        for width in 10..100 {
            let text = table(width);
            for word in ["1,152", "longer", "forty", "hall-3"] {
                assert!(text.contains(word), "{width} columns: {text}");
            }
            let longest = text.lines().map(columns).max().unwrap_or(0);
            assert!(longest <= usize::from(width).max(14), "{width} columns: {text}");
        }
    }
}
