//! A line of `runs.csv`: what a run was given, and what it delivered.

use crate::ensemble::{Delivered, MEASURES};

/// Columns behind those of the measures: how many jobs count, whether some are left that nothing can start, the digest, and why a
/// run was not made.
const LAST: [&str; 4] = ["jobs", "stuck", "digest", "problem"];

/// The header: number and seed of a run, the keys that vary, every measure, and what is said of the whole.
#[must_use]
pub fn header<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let measures = MEASURES.iter().map(|measure| measure.key);
    record(["run", "seed"].into_iter().chain(keys).chain(measures).chain(LAST))
}

/// A run and what it delivered, or why it has no plan; what is not known is empty.
#[must_use]
pub fn line(run: u64, seed: u64, values: &[String], outcome: &Result<Delivered, String>) -> String {
    let mut fields = vec![run.to_string(), seed.to_string()];
    fields.extend_from_slice(values);
    match outcome {
        Ok(delivered) => {
            let told = |value: &f64| if value.is_nan() { String::new() } else { value.to_string() };
            fields.extend(delivered.values.iter().map(told));
            fields.push(delivered.jobs.to_string());
            fields.push(u8::from(delivered.stuck).to_string());
            fields.push(delivered.digest.map(|digest| digest.to_string()).unwrap_or_default());
            fields.push(String::new());
        }
        Err(problem) => {
            fields.extend(MEASURES.iter().map(|_| String::new()));
            // A line is a run, whatever a message says.
            let problem = problem.split_whitespace().collect::<Vec<_>>().join(" ");
            fields.extend([String::new(), String::new(), String::new(), problem]);
        }
    }
    record(fields.iter().map(String::as_str))
}

/// What a line says of these measures, given by their places, behind so many keys; NaN where it says nothing.
#[must_use]
pub fn values(line: &str, keys: usize, measures: &[usize]) -> Vec<f64> {
    let record = read(line);
    let value =
        |place: &usize| record.get(2 + keys + place).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    measures.iter().map(value).collect()
}

/// Why the run of a line could not be made, if it could not.
#[must_use]
pub fn problem(line: &str) -> Option<String> {
    read(line).iter().next_back().filter(|problem| !problem.is_empty()).map(str::to_owned)
}

/// Whether jobs were left in the run of a line that nothing left to happen could start.
#[must_use]
pub fn is_stuck(line: &str) -> bool {
    read(line).iter().rev().nth(2) == Some("1")
}

/// The fields of a line.
fn read(line: &str) -> csv::StringRecord {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    reader.records().next().and_then(Result::ok).unwrap_or_default()
}

fn record<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A newline within would make two lines of a run.
    let fields = fields.into_iter().map(|field| field.replace(['\n', '\r'], " "));
    writer.write_record(fields.map(String::into_bytes)).expect("memory takes every record");
    let bytes = writer.into_inner().expect("memory is never full of records");
    String::from_utf8(bytes).expect("written from text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_back_what_was_written() {
        let values_of_run: Vec<f64> =
            (0..MEASURES.len()).map(|place| 1.0 / f64::from(3 + u32::try_from(place).unwrap())).collect();
        let mut delivered = Delivered { values: values_of_run.clone(), jobs: 12, ..Delivered::default() };
        delivered.values[4] = f64::NAN;
        let keys = vec!["leftover=3,energy=1".to_owned(), "a\nb".to_owned()];
        let text = line(7, 3, &keys, &Ok(delivered));
        assert!(
            text.starts_with("7,3,\"leftover=3,energy=1\",a b,") && text.ends_with(",12,0,,\n"),
            "{text}"
        );
        let read = values(&text, 2, &[0, 4, 5]);
        assert!((read[0] - values_of_run[0]).abs() < f64::EPSILON && read[1].is_nan(), "{read:?}");
        assert!((read[2] - values_of_run[5]).abs() < f64::EPSILON, "exactly: {read:?}");
        let columns = |text: &str| csv::Reader::from_reader(text.as_bytes()).headers().unwrap().len();
        assert_eq!(columns(&header(["a", "b"])), columns(&text), "as many as the header has");
    }

    #[test]
    fn a_run_that_could_not_be_made_says_why() {
        let text = line(0, 1, &["3".to_owned()], &Err("a job, too large,\nfor it".to_owned()));
        assert!(text.ends_with(",,,,\"a job, too large, for it\"\n"), "{text}");
        assert!(values(&text, 1, &[0])[0].is_nan(), "nothing is known");
        assert_eq!(text.lines().count(), 1, "one line");
        assert_eq!(problem(&text).unwrap(), "a job, too large, for it", "and it is read back");
        let ran = Delivered { values: vec![0.0; MEASURES.len()], ..Delivered::default() };
        let stuck = Delivered { stuck: true, ..ran.clone() };
        let [ran, stuck] = [ran, stuck].map(|run| line(0, 1, &["3".to_owned()], &Ok(run)));
        assert_eq!(problem(&ran), None, "of a run that was made");
        assert_eq!(
            [&text, &ran, &stuck].map(|line| is_stuck(line)),
            [false, false, true],
            "jobs that wait for ever"
        );
    }
}
