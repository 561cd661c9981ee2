//! What readers of documents of JSON share: where one stops being what it should be, and on which line its parts begin.

use crate::error::{Place, Problem};
use crate::trace::field::{self, Decimal};
use crate::trace::intake::{Intake, TIME_MAX};
use memchr::memchr_iter;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads a document, or says where it stops being `what`.
pub(super) fn document<'t, T: Deserialize<'t>>(
    text: &'t [u8],
    what: &str,
    intake: &mut Intake<'_>,
) -> Option<T> {
    match serde_json::from_slice(text) {
        Ok(document) => Some(document),
        Err(error) => {
            let number = error.line().max(1);
            let line = text.split(|byte| *byte == b'\n').nth(number - 1).unwrap_or_default();
            intake.problem(|file| {
                Problem::new(format!("not {what}: {error}")).at(Place::line(file, number, line))
            });
            None
        }
    }
}

/// The lines on which parts of a document begin, asked for in their order.
pub(super) struct Lines<'t> {
    text: &'t [u8],
    seen: usize,
    number: usize,
}

impl<'t> Lines<'t> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self { text, seen: 0, number: 1 }
    }
    /// Reads a part of the document; what is wrong is told with its line.
    pub(super) fn read<T: Deserialize<'t>>(
        &mut self,
        raw: &'t RawValue,
        intake: &mut Intake<'_>,
    ) -> Option<(usize, T)> {
        let number = self.at(raw);
        match serde_json::from_str(raw.get()) {
            Ok(part) => Some((number, part)),
            Err(error) => {
                self.wrong(raw, error.to_string(), None, intake);
                None
            }
        }
    }
    /// Says what is wrong with a part of the document.
    pub(super) fn wrong(
        &mut self,
        raw: &RawValue,
        message: String,
        hint: Option<&str>,
        intake: &mut Intake<'_>,
    ) {
        let number = self.at(raw);
        let line = raw.get().lines().next().unwrap_or_default();
        intake.bad_line(number, |file| {
            let problem = Problem::new(message).at(Place::line(file, number, line.as_bytes()));
            if let Some(hint) = hint { problem.hint(hint) } else { problem }
        });
    }
    /// The number of the line on which it begins.
    fn at(&mut self, raw: &RawValue) -> usize {
        let start = raw.get().as_ptr().addr() - self.text.as_ptr().addr();
        if start > self.seen {
            self.number += memchr_iter(b'\n', &self.text[self.seen..start]).count();
            self.seen = start;
        }
        self.number
    }
}

/// A text, or a number as it is written; nothing stands for the empty text.
pub(super) fn word<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(value)? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// Seconds as a point of time, rounded down; none if it is not one.
pub(super) fn instant(seconds: f64, intake: &mut Intake<'_>) -> Option<u32> {
    let Decimal { floor, fraction } = field::of_float(seconds)?;
    intake.fractions += u64::from(fraction);
    u32::try_from(floor).ok().filter(|time| *time <= TIME_MAX)
}

/// Seconds as a length of time, rounded up; none if it is not one.
pub(super) fn length(seconds: f64, intake: &mut Intake<'_>) -> Option<u32> {
    let decimal = field::of_float(seconds)?;
    intake.fractions += u64::from(decimal.fraction);
    u32::try_from(decimal.ceil()).ok().filter(|time| *time <= TIME_MAX)
}
