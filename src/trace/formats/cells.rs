use super::native::{COLUMNS, COUNT, Column};
use crate::trace::checked::Checked;
use crate::trace::field;
use crate::trace::intake::Intake;
use crate::trace::table::LENGTH;

/// What a line says, column by column.
pub(super) struct Cells<'a> {
    pub(super) values: [&'a [u8]; COUNT],
    /// Bit `c` is set where column `c` says something.
    told: u64,
    checked: Checked<'a>,
    pub(super) number: usize,
    pub(super) line: &'a [u8],
}

impl<'a> Cells<'a> {
    /// A line of a text that says nothing.
    pub(super) fn new(checked: Checked<'a>, (number, line): (usize, &'a [u8])) -> Self {
        const { assert!(COUNT <= 64, "a bit a column") }
        Self { values: [b""; COUNT], told: 0, checked, number, line }
    }
    /// What the line says in a column.
    #[inline]
    pub(super) fn set(&mut self, column: usize, value: &'a [u8]) {
        self.values[column] = value;
        self.told |= u64::from(!field::missing(value)) << column;
    }
    #[inline]
    pub(super) fn get(&self, column: Column) -> &'a [u8] {
        if self.silent(column, column) { b"" } else { self.values[column as usize] }
    }
    /// Whether the line says nothing from one column to another.
    #[inline]
    pub(super) fn silent(&self, from: Column, to: Column) -> bool {
        let between = u64::MAX >> (63 - to as u32) & u64::MAX << (from as u32);
        self.told & between == 0
    }
    pub(super) fn wrong(&self, column: Column, expected: &str, intake: &mut Intake<'_>) {
        let name = COLUMNS[column as usize].name;
        intake.wrong(self.number, self.line, self.values[column as usize], name, expected);
    }
    /// A value as `parse` reads it, `otherwise` where the line says nothing.
    #[inline]
    pub(super) fn read<T>(
        &self,
        column: Column,
        otherwise: T,
        expected: &str,
        intake: &mut Intake<'_>,
        parse: impl FnOnce(&'a [u8], &mut Intake<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.silent(column, column) {
            return Some(otherwise);
        }
        let parsed = parse(self.values[column as usize], intake);
        if parsed.is_none() {
            self.wrong(column, expected, intake);
        }
        parsed
    }
    /// As [`Cells::read`], where the line must say something.
    pub(super) fn require<T>(
        &self,
        column: Column,
        expected: &str,
        intake: &mut Intake<'_>,
        parse: impl FnOnce(&'a [u8], &mut Intake<'_>) -> Option<T>,
    ) -> Option<T> {
        let silent = self.silent(column, column);
        let parsed = if silent { None } else { parse(self.values[column as usize], intake) };
        if parsed.is_none() {
            self.wrong(column, expected, intake);
        }
        parsed
    }
    #[inline]
    pub(super) fn length(&self, column: Column, intake: &mut Intake<'_>) -> Option<u32> {
        self.read(column, 0, LENGTH, intake, |value, intake| intake.length(value))
    }
    #[inline]
    pub(super) fn text(
        &self,
        column: Column,
        otherwise: &'a str,
        intake: &mut Intake<'_>,
    ) -> Option<&'a str> {
        self.read(column, otherwise, "UTF-8", intake, |value, _| self.checked.part(value))
    }
}
