//! A series in a file: prices, intensities, temperatures.

use super::super::files::Files;
use super::grid::{Span, undated};
use crate::cluster::grid::Series;
use crate::document::{Document, Mark, Placed, Table};
use crate::error::{Error, Problem};
use crate::trace::{Moment, Recorded, SeriesOptions, read_series};
use crate::units::Seconds;

/// A file, and what is wanted of it, before the clock of the run is known.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct SeriesFile {
    path: Placed<String>,
    column: Option<Placed<String>>,
    time_column: Option<Placed<String>>,
    /// Whether it begins anew at its end.
    repeats: bool,
}

/// How its numbers are written, and which are possible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) decimals: usize,
    pub(super) least: i64,
    pub(super) most: i64,
}

impl SeriesFile {
    /// Reads `file`, `column`, `time_column` and `repeat`.
    pub(in crate::scenario) fn of(table: &mut Table<'_>) -> Option<Self> {
        let path = table.required::<String>("file");
        let column = table.optional::<String>("column");
        let time_column = table.optional::<String>("time_column");
        let repeats = table.value_or("repeat", false);
        Some(Self { path: path?, column, time_column, repeats })
    }

    /// The series on the clock of the run, if it covers that.
    pub(super) fn series(
        &self,
        numbers: Numbers,
        document: &Document,
        span: Span,
        files: &mut Files,
    ) -> Option<Series> {
        let (resolved, bytes) = files.read(document, &self.path)?;
        let Numbers { decimals, least, most } = numbers;
        let options = SeriesOptions {
            column: self.column.as_deref().map(String::as_str),
            time_column: self.time_column.as_deref().map(String::as_str),
            decimals,
            most,
            least,
        };
        let recorded = match read_series(&resolved.display().to_string(), &bytes, &options) {
            Ok(recorded) => recorded,
            Err(Error::Input(problems)) => {
                files.problems.append(problems);
                return None;
            }
            Err(other) => {
                document.complain(self.path.mark, Problem::new(other.to_string()));
                return None;
            }
        };
        if recorded.steps.len() > 1 {
            let steps: Vec<String> = recorded.steps.iter().map(Seconds::to_string).collect();
            files.notes.push(format!("`{}` changes its step: {}", self.path.value, steps.join(", then ")));
        }
        let offset = offset(&recorded.start, self.path.mark, document, span)?;
        self.placed(recorded, offset, document, span)
    }

    fn placed(&self, recorded: Recorded, offset: i64, document: &Document, span: Span) -> Option<Series> {
        let step = i64::from(recorded.step.0);
        let length = step.saturating_mul(i64::try_from(recorded.values.len()).unwrap_or(i64::MAX));
        let begin = if self.repeats { offset.rem_euclid(length) } else { offset };
        let last = offset.saturating_add(i64::from(span.last.0));
        let seconds = |seconds: i64| Seconds(u32::try_from(seconds).unwrap_or(u32::MAX));
        let path = &self.path.value;
        let message = if begin < 0 {
            Some(format!("`{path}` begins {} after the run does", seconds(-begin)))
        } else if !self.repeats && last >= length {
            Some(format!("`{path}` ends {} before the last job comes", seconds(last - length + 1)))
        } else {
            None
        };
        if let Some(message) = message {
            let hint = "`repeat = true` begins anew at its end; `run.start` is the date of second 0";
            document.complain(self.path.mark, Problem::new(message).hint(hint));
            return None;
        }
        let offset = u64::try_from(begin).unwrap_or_default();
        Some(Series { offset, step: recorded.step, values: recorded.values, repeats: self.repeats })
    }
}

/// Seconds from the begin of a series to second 0 of the run.
fn offset(start: &Moment, mark: Mark, document: &Document, span: Span) -> Option<i64> {
    match *start {
        Moment::Seconds(seconds) => Some(-i64::from(seconds)),
        Moment::Unix(date) => {
            if span.epoch.is_none() {
                document.complain(mark, undated("a series with dates"));
            }
            Some(span.epoch?.saturating_sub(date))
        }
    }
}
