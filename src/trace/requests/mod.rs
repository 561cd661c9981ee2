//! Bytes to demand: traces of requests to models, not of jobs. One format, one file, and a table of formats.
//!
//! ```
//! use gigawatt::trace::{Options, read_requests_bytes};
//! let text = b"TIMESTAMP,ContextTokens,GeneratedTokens\n\
//!     2023-11-16 18:15:46.6805900,374,44\n\
//!     2023-11-16 18:15:50.9951690,396,109\n";
//! let requests = read_requests_bytes("two.csv", text, None, &Options::default())?;
//! assert_eq!((requests.format, requests.demand.times_ms[1]), ("azure-llm", 4315));
//! assert_eq!(requests.demand.tokens[1].output, 109);
//! # Ok::<(), gigawatt::error::Error>(())
//! ```

mod azure;
mod burstgpt;
mod mooncake;

use super::intake::Intake;
use super::table::Table;
use super::{Head, Notes, Options, choose, field, input};
use crate::error::{Error, Place, Problem};
use crate::workload::{Demand, Tokens};
use std::path::Path;

/// A format of traces of requests.
#[derive(Debug)]
pub struct RequestFormat {
    /// As `--format` calls it.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    detect: fn(&Head<'_>) -> bool,
    read: fn(&[u8], &mut Demand, &mut Intake<'_>),
}

/// Every format of requests.
pub const REQUEST_FORMATS: &[RequestFormat] = &[azure::FORMAT, burstgpt::FORMAT, mooncake::FORMAT];

/// Requests as read, and what was done to them.
#[derive(Debug, Clone)]
pub struct Requests {
    /// The requests, in the order of their arrival.
    pub demand: Demand,
    /// What was dropped, changed or assumed.
    pub notes: Notes,
    /// Name of the format they were read as.
    pub format: &'static str,
}

/// Reads requests from a file; without a `format`, its content tells.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub fn read_requests(path: &Path, format: Option<&str>, options: &Options<'_>) -> Result<Requests, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    read_requests_bytes(&path.display().to_string(), &bytes, format, options)
}

/// Reads requests from memory; `name` is what messages call it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_requests_bytes(
    name: &str,
    bytes: &[u8],
    format: Option<&str>,
    options: &Options<'_>,
) -> Result<Requests, Error> {
    let text = input::unpack(name, bytes, options)?;
    let known: Vec<_> =
        REQUEST_FORMATS.iter().map(|format| (format.name, format.detect, [].as_slice())).collect();
    let format = &REQUEST_FORMATS[choose(name, &text, (format, options.map), &known)?];
    let mut intake = Intake::new(name, options);
    intake.by_row = text.by_row;
    let mut demand = Demand::default();
    (format.read)(&text, &mut demand, &mut intake);
    let unanswered = demand.tokens.iter().filter(|tokens| tokens.output == 0).count();
    intake.notes.count("request", "without an answer: failed, or none was asked for", unanswered as u64);
    if demand.times_ms.is_empty() {
        intake.problem(|file| Problem::new(format!("`{file}` holds no request")));
    }
    Ok(Requests { demand: demand.finish(), notes: intake.into_notes()?, format: format.name })
}

/// The format of these bytes, packed or not, if they look like requests.
#[must_use]
pub fn recognised_requests(bytes: &[u8]) -> Option<&'static str> {
    let text = input::unpack("", bytes, &Options::default()).ok()?;
    let head = Head::new(&text);
    REQUEST_FORMATS.iter().find(|format| (format.detect)(&head)).map(|format| format.name)
}

/// Complains of requests where jobs are expected.
pub(super) fn must_be_jobs(name: &str, text: &[u8], format: Option<&str>) -> Result<(), Error> {
    let head = Head::new(text);
    let asked = format.filter(|format| *format != "auto");
    let found = REQUEST_FORMATS.iter().find(|format| asked.is_none() && (format.detect)(&head));
    found.map_or(Ok(()), |format| Err(not_jobs(name, format.name).into()))
}

/// What to say of a trace of requests where jobs are expected.
#[must_use]
pub fn not_jobs(name: &str, format: &str) -> Problem {
    let found = format!("`{name}` is a trace of requests to models ({format}), not of jobs");
    Problem::new(found).at(Place::file(name)).hint(format!("`gigawatt inspect {name}` shows it"))
}

/// Reads the requests of a table with a column for times, and for tokens in and out.
fn read_table(text: &[u8], columns: [&str; 3], demand: &mut Demand, intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &columns, intake) else { return };
    let Some([time, input, output]) = table.require(columns, intake) else { return };
    while table.next(intake) {
        let instant = milliseconds(table.get(time));
        if instant.is_none() {
            table.wrong(time, "seconds or a date like `2023-11-16 18:15:46.68`", intake);
        }
        let input = table.whole(input, u32::MAX, intake);
        let output = table.whole(output, u32::MAX, intake);
        let (Some((instant, dated)), Some(input), Some(output)) = (instant, input, output) else { continue };
        demand.epoch_ms = demand.epoch_ms.or(dated.then_some(0));
        demand.push(instant, Tokens { input, cached: 0, output });
    }
}

/// Milliseconds of a point of time, rounded down, in seconds or as a date; and whether it is a date.
fn milliseconds(text: &[u8]) -> Option<(u64, bool)> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = point.map_or((text, &b""[..]), |point| (&text[..point], &text[point + 1..]));
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, zone) = fraction.split_at(digits);
    let thousandths = (0..3)
        .fold(0, |sum, index| sum * 10 + u64::from(fraction.get(index).map_or(0, |digit| digit - b'0')));
    let (seconds, dated) = match field::date(&[whole, zone].concat()) {
        Some(date) => (u64::try_from(date.seconds).ok()?, true),
        None if zone.is_empty() => (field::unsigned(whole)?, false),
        None => return None,
    };
    Some((seconds.checked_mul(1000)?.checked_add(thousandths)?, dated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_seconds_or_dates_with_fractions() {
        for (text, expected) in [
            ("5", Some((5_000, false))),
            ("5.25", Some((5_250, false))),
            ("5.0009", Some((5_000, false))),
            ("1970-01-01 00:00:02.5", Some((2_500, true))),
            ("1970-01-01 01:00:02.123456+01:00", Some((2_123, true))),
            ("1970-01-01 00:00:02", Some((2_000, true))),
            ("", None),
            (".5", None),
            ("5.2x", None),
            ("-5", None),
            ("soon", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(milliseconds(text.as_bytes()), expected, "{text}");
        }
    }

    fn read(name: &str, text: &str) -> Result<Requests, String> {
        read_requests_bytes(name, text.as_bytes(), None, &Options::default())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_format_is_known_by_its_content() {
        let samples = [
            ("azure-llm", include_str!("../../../workloads/requests-azure-llm.csv"), (5, 3_000)),
            ("burstgpt", include_str!("../../../workloads/requests-burstgpt.csv"), (5, 118_000)),
            ("mooncake", include_str!("../../../workloads/requests-mooncake.jsonl"), (4, 6_000)),
        ];
        for (format, text, (requests, last_ms)) in samples {
            let read = read(format, text).unwrap();
            assert_eq!(read.format, format, "known by its content");
            assert_eq!(read.demand.times_ms.len(), requests, "{format}: requests");
            assert_eq!(read.demand.times_ms.last(), Some(&last_ms), "{format}: the last one");
            assert_eq!(recognised_requests(text.as_bytes()), Some(format), "{format}: recognised");
            assert_eq!(crate::trace::recognised(text.as_bytes()), None, "{format}: no trace of jobs");
        }
        assert_eq!(recognised_requests(b"submit_time,gpus,work_time\n0,1,1\n"), None, "jobs");
    }

    #[test]
    fn a_prefix_seen_before_may_be_cached() {
        let read = read("m", include_str!("../../../workloads/requests-mooncake.jsonl")).unwrap();
        let cached: Vec<u32> = read.demand.tokens.iter().map(|tokens| tokens.cached).collect();
        assert_eq!(cached, [0, 1024, 512, 600], "blocks of 512, at most what is asked");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\nsoon,1,2\n2023-11-16 18:15:46,x,3\n";
        let told = read("bad.csv", text).unwrap_err();
        assert!(told.contains("bad.csv:2") && told.contains("bad.csv:3"), "{told}");
        let told = read("bad.jsonl", "{\"timestamp\": 1, \"input_length\": -1, \"output_length\": 2}\n");
        assert!(told.unwrap_err().contains("bad.jsonl:1"), "a line of JSON");
    }
}
